import { useEffect } from "preact/hooks";
import { addressOf } from "../../course/address";
import { share } from "../../course/dates";
import { dateTime } from "../../format";
import { useFetched } from "../../parts/fetched";
import { useSubmit } from "../../parts/form";
import { Alert } from "../../parts/problem";
import { current } from "../../session";
import type { ComparedSubmission, SimilarityReport, SimilarPair } from "../../types";
import type { SectionProps } from "./assignment";

const LOOK_MS = 1_500;

/** Pairs of submissions whose code is alike: to be looked at, never a verdict. */
export function SimilarityPage({ assignment: { name } }: SectionProps) {
  const { api } = current();
  const path = `v1/assignments/${encodeURIComponent(name)}/similarity`;
  const { value: report, problem, reload } = useFetched<SimilarityReport>(path);
  const { busy, problem: refused, submit } = useSubmit(() => api.post<SimilarityReport>(path, {}), reload);
  const running = report?.state === "running";
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => document.hidden || void reload(), LOOK_MS);
    return () => clearInterval(timer);
  }, [running, reload]);
  const none = problem?.status === 404;
  return (
    <section class="card" aria-labelledby="similarity">
      <header class="card-head">
        <h2 id="similarity">Submissions that are alike</h2>
        {report && !running && <span class="hint">compared {dateTime(report.created_at)}</span>}
        <button type="button" class="push secondary" disabled={busy || running} onClick={() => void submit()}>
          {running ? "Comparing…" : report ? "Compare again" : "Compare the submissions"}
        </button>
      </header>
      <Alert problem={refused ?? (none ? null : problem)} />
      <p class="pad hint">
        The submissions that count are compared as text. Names, comments and the code of the assignment do not count.
        Alike is no verdict: short programs for the same task often are. Read both before you ask anybody.
      </p>
      {none && !running && <p class="empty">Nothing is compared yet.</p>}
      {report && <Report name={name} report={report} />}
    </section>
  );
}

function Report({
  name,
  report: { state, message, pairs, compared, min_similarity, skipped },
}: {
  name: string;
  report: SimilarityReport;
}) {
  if (state === "running") {
    return (
      <p class="empty" role="status">
        The submissions are being compared.
      </p>
    );
  }
  if (state === "failed") return <p class="error pad">{message}</p>;
  return (
    <>
      {pairs.length === 0 ? (
        <p class="empty">
          No two of the {compared} submissions have {share(min_similarity)} of their code in common.
        </p>
      ) : (
        <div class="scroll">
          <table class="runs" aria-labelledby="similarity">
            <thead>
              <tr>
                <th scope="col">Students</th>
                <th scope="col">Alike</th>
                <th scope="col">Lines of the first</th>
                <th scope="col">Lines of the second</th>
              </tr>
            </thead>
            <tbody>
              {pairs.map((pair) => (
                <Row key={pair.a.submission_id + pair.b.submission_id} name={name} pair={pair} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {skipped.length > 0 && (
        <ul class="hint pad skipped">
          {[...Map.groupBy(skipped, ({ reason }) => reason)].map(([reason, those]) => (
            <li key={reason}>
              Not compared, {reason}: {those.map(({ external_id }) => external_id).join(", ")}.
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

const titleOf = ({ name, external_id }: ComparedSubmission): string => name || external_id;

function Row({ name, pair: { a, b, similarity } }: { name: string; pair: SimilarPair }) {
  return (
    <tr>
      <th scope="row">
        <a href={addressOf(name, "difference", `?from=${a.submission_id}&to=${b.submission_id}`)}>
          {titleOf(a)} and {titleOf(b)}
        </a>
      </th>
      <td class="number" data-label="Alike">
        {share(Math.round(similarity * 100) / 100)}
      </td>
      {[a, b].map((one) => (
        <td key={one.submission_id} class="wide passages">
          {one.passages.map(({ path, first_line, last_line }) => `${path} ${first_line}–${last_line}`).join(", ")}
        </td>
      ))}
    </tr>
  );
}
