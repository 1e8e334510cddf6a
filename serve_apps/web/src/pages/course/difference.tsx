import { useMemo } from "preact/hooks";
import { addressOf } from "../../course/address";
import { compareFiles, type FileDifference, type Line } from "../../course/difference";
import { Points, SubmissionBadge } from "../../parts/course/marks";
import { type Fetched, Loaded, useFetched } from "../../parts/fetched";
import type { SubmissionDetail } from "../../types";
import type { SectionProps } from "./assignment";

/** What changed from one submission to another, with the results of both. */
export function DifferencePage({ assignment: { name }, query }: SectionProps) {
  const older = useSubmission(name, query.get("from"));
  const newer = useSubmission(name, query.get("to"));
  if (!query.get("from") || !query.get("to")) {
    return (
      <section class="card">
        <p class="empty first">
          Tick two of your <a href={addressOf(name, "submissions")}>submissions</a> to see what changed between them.
        </p>
      </section>
    );
  }
  return (
    <Loaded of={older}>
      {(before) => <Loaded of={newer}>{(after) => <Difference before={before} after={after} />}</Loaded>}
    </Loaded>
  );
}

const useSubmission = (name: string, id: string | null): Fetched<SubmissionDetail> =>
  useFetched<SubmissionDetail>(
    id === null ? null : `v1/assignments/${encodeURIComponent(name)}/submissions/${encodeURIComponent(id)}`,
  );

function Difference({ before, after }: { before: SubmissionDetail; after: SubmissionDetail }) {
  const files = useMemo(() => compareFiles(before.content, after.content), [before, after]);
  const changed = files.filter(({ change }) => change !== "same");
  return (
    <>
      <section class="card" aria-labelledby="results">
        <header class="card-head">
          <h2 id="results">Results</h2>
        </header>
        <div class="scroll">
          <table class="runs" aria-labelledby="results">
            <thead>
              <tr>
                <th scope="col">Test</th>
                <Head submission={before} />
                <Head submission={after} />
              </tr>
            </thead>
            <tbody>
              {idsOf(before, after).map((id) => (
                <tr key={id}>
                  <th scope="row">
                    <span class="test-id">{id}</span>
                  </th>
                  <Mark submission={before} id={id} />
                  <Mark submission={after} id={id} />
                </tr>
              ))}
              <tr>
                <th scope="row">Points</th>
                {[before, after].map(({ id, points, max_points }) => (
                  <td key={id} class="number">
                    <Points points={points} of={max_points} />
                  </td>
                ))}
              </tr>
            </tbody>
          </table>
        </div>
      </section>
      {changed.length === 0 ? (
        <section class="card">
          <p class="empty first">The files of both submissions are the same.</p>
        </section>
      ) : (
        changed.map((file) => <FileCard key={file.path} file={file} />)
      )}
    </>
  );
}

const idsOf = (...submissions: SubmissionDetail[]): string[] => [
  ...new Set(submissions.flatMap(({ tests }) => tests.map(({ id }) => id))),
];

const Head = ({ submission: { assignment, id, number, member } }: { submission: SubmissionDetail }) => (
  <th scope="col">
    <a href={addressOf(assignment, "submission", `/${id}`)}>
      {member ? `${member}, ` : ""}number {number}
    </a>
  </th>
);

function Mark({ submission: { number, tests }, id }: { submission: SubmissionDetail; id: string }) {
  const mark = tests.find((test) => test.id === id);
  return (
    <td data-label={`number ${number}`}>{mark ? <SubmissionBadge state="graded" verdict={mark.verdict} /> : "–"}</td>
  );
}

const SAID: Record<FileDifference["change"], string> = {
  added: "new file",
  removed: "removed",
  changed: "changed",
  same: "the same",
};

function FileCard({ file: { path, change, hunks, note } }: { file: FileDifference }) {
  return (
    <section class="card" aria-label={`Changes of ${path}`}>
      <header class="card-head">
        <h2 class="mono">{path}</h2>
        <span class="hint">{SAID[change]}</span>
      </header>
      {note && <p class="hint pad">{note}</p>}
      {hunks.length > 0 && (
        // biome-ignore lint/a11y: what scrolls must be reachable by keyboard, and is no landmark
        <div class="difference" role="group" tabIndex={0} aria-label={`Changed lines of ${path}`}>
          {hunks.map((hunk, index) => (
            <table key={index}>
              <tbody>
                {hunk.map((line, row) => (
                  <Row key={row} line={line} />
                ))}
              </tbody>
            </table>
          ))}
        </div>
      )}
    </section>
  );
}

const SIGN: Record<Line["kind"], [sign: string, said: string]> = {
  same: [" ", ""],
  added: ["+", "added: "],
  removed: ["−", "removed: "],
};

function Row({ line: { kind, text, before, after } }: { line: Line }) {
  const [sign, said] = SIGN[kind];
  return (
    <tr class={kind}>
      <td class="at">{before ?? ""}</td>
      <td class="at">{after ?? ""}</td>
      <td class="text">
        <span aria-hidden="true">{sign} </span>
        {said && <span class="visually-hidden">{said}</span>}
        {text}
      </td>
    </tr>
  );
}
