import { useEffect, useState } from "preact/hooks";
import { RegradeCard } from "../../parts/course/regrade";
import { type Fetched, Loaded, useFetched } from "../../parts/fetched";
import { useSubmit } from "../../parts/form";
import { Alert, Field, FormProblem } from "../../parts/problem";
import { administers, current } from "../../session";
import type { AssignmentView, Regrade, RegradeList, RegradeReport, RegradeRequest } from "../../types";
import type { SectionProps } from "./assignment";

const LOOK_MS = 1_500;

/** Judge all submissions again: try it, see who gains and loses, then commit or discard it. */
export function RegradesPage({ assignment, reload }: SectionProps) {
  const path = `v1/assignments/${encodeURIComponent(assignment.name)}/regrades`;
  const list = useFetched<RegradeList>(path);
  const newest = list.value?.items[0] ?? null;
  const report = useFetched<RegradeReport>(newest && `${path}/${newest.id}`);
  const again = async () => {
    await Promise.all([list.reload(), report.reload(), reload()]);
  };
  useLook(report);
  const goesOn = newest !== null && ["running", "ready"].includes((report.value ?? newest).state);
  return (
    <>
      {administers.value && !goesOn && <Start assignment={assignment} onStarted={list.reload} />}
      <Loaded of={list}>
        {({ items }) =>
          items.length === 0 ? (
            !administers.value && (
              <section class="card">
                <p class="empty first">Regrades appear here. An administrator of the course can start one.</p>
              </section>
            )
          ) : (
            <>
              <Loaded of={report}>
                {(shown) => (
                  <RegradeCard key={shown.id} report={shown} onChanged={again} holds={holds(assignment, shown)} />
                )}
              </Loaded>
              <Earlier items={items.slice(1)} assignment={assignment} />
            </>
          )
        }
      </Loaded>
    </>
  );
}

const holds = ({ staff }: AssignmentView, { id }: Regrade): boolean => staff?.regrade === id;

/** Look again while it is being judged. */
function useLook({ value, reload }: Fetched<RegradeReport>): void {
  const running = value?.state === "running" || (value?.state === "ready" && !value.dry_run);
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => document.hidden || void reload(), LOOK_MS);
    return () => clearInterval(timer);
  }, [running, reload]);
}

function Start({ assignment, onStarted }: { assignment: AssignmentView; onStarted: () => Promise<void> }) {
  const { api } = current();
  const [version, setVersion] = useState(String(assignment.version));
  const { busy, problem, submit } = useSubmit((key) => {
    const request: RegradeRequest = { version: Number(version), dry_run: true };
    return api.post<Regrade>(`v1/assignments/${encodeURIComponent(assignment.name)}:regrade`, request, key);
  }, onStarted);
  const versions = assignment.staff?.versions.toReversed() ?? [];
  return (
    <FormProblem.Provider value={problem}>
      <form class="card" onSubmit={submit} noValidate aria-labelledby="start">
        <header class="card-head">
          <h2 id="start">Judge all submissions again</h2>
        </header>
        <div class="pad regrade-form">
          <p>
            After you have corrected a test, try the regrade first: every submission is judged by the version that you
            choose, and you see who gains and who loses. No grade changes until you commit it, and learners see nothing
            of a trial.
          </p>
          <div class="row">
            <Field name="version" label="Judge by version">
              {(control) => (
                <select {...control} value={version} onChange={(event) => setVersion(event.currentTarget.value)}>
                  {versions.map(({ number, created_at }) => (
                    <option key={number} value={String(number)}>
                      {number}
                      {number === assignment.version ? ", the newest" : ""} ({created_at.slice(0, 10)})
                    </option>
                  ))}
                </select>
              )}
            </Field>
            <button type="submit" disabled={busy}>
              {busy ? "Starting…" : "Try the regrade"}
            </button>
          </div>
          <Alert problem={problem} />
        </div>
      </form>
    </FormProblem.Provider>
  );
}

function Earlier({ items, assignment }: { items: readonly Regrade[]; assignment: AssignmentView }) {
  if (items.length === 0) return null;
  return (
    <details class="card">
      <summary class="card-head">
        <h2>Earlier regrades</h2>
      </summary>
      <ul class="adjustments">
        {items.map((one) => (
          <li key={one.id}>
            <span>
              {one.state}, by version {one.version}, {one.done} of {one.total} judged{" "}
              <span class="hint">
                {one.created_at.slice(0, 16).replace("T", " ")} UTC
                {holds(assignment, one) && ", its results hold"}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
