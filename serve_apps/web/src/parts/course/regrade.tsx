/** One regrade: how far it is, whom it changes, and the decision to commit or discard it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { dateTime, measure } from "../../format";
import { Problem } from "../../problem";
import { administers, current } from "../../session";
import type { Regrade, RegradeChange, RegradeReport } from "../../types";
import { Badge } from "../badge";
import { Alert } from "../problem";

interface Props {
  report: RegradeReport;
  onChanged: () => Promise<void>;
  /** True if the grades are made of its results. */
  holds: boolean;
}

const STATES: Record<Regrade["state"], Parameters<typeof Badge>[0]> = {
  running: { tone: "busy", sign: "●", text: "judging" },
  ready: { tone: "warn", sign: "‖", text: "ready to commit" },
  committed: { tone: "good", sign: "✓", text: "committed" },
  discarded: { tone: "calm", sign: "–", text: "discarded" },
};

export function RegradeCard({ report, onChanged, holds }: Props) {
  const { id, state, version, done, total, created_at, changes, gained, lost } = report;
  return (
    <section class="card" aria-labelledby={`regrade-${id}`}>
      <header class="card-head">
        <h2 id={`regrade-${id}`}>Regrade by version {version}</h2>
        <Badge {...STATES[state]} />
        {holds && <span class="badge counts">its results hold</span>}
        <span class="hint push">started {dateTime(created_at)}</span>
      </header>
      {state === "running" && (
        <div class="pad meter">
          <progress max={Math.max(1, total)} value={done} aria-label="Submissions judged" />
          <p class="hint" role="status">
            {done} of {total} submissions judged. New submissions go first.
          </p>
        </div>
      )}
      {state !== "running" && (
        <p class="pad" role="status">
          {changes.length === 0 ? (
            state === "discarded" ? (
              "It was abandoned and changed no grade."
            ) : (
              `All ${total} submissions give the same grades as before.`
            )
          ) : (
            <>
              <strong>{people(gained)}</strong> {gained === 1 ? "gains" : "gain"}, <strong>{people(lost)}</strong>{" "}
              {lost === 1 ? "loses" : "lose"}.
            </>
          )}
        </p>
      )}
      {changes.length > 0 && <Changes changes={changes} />}
      {(state === "ready" || state === "running") && administers.value && (
        <Decision report={report} onChanged={onChanged} />
      )}
    </section>
  );
}

const people = (count: number): string => `${count} ${count === 1 ? "student" : "students"}`;

function Changes({ changes }: { changes: readonly RegradeChange[] }) {
  return (
    <div class="scroll">
      <table class="runs" aria-label="Students whose grades change">
        <thead>
          <tr>
            <th scope="col">Student</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
            <th scope="col">Change</th>
          </tr>
        </thead>
        <tbody>
          {changes.map(({ member_id, name, external_id, before, after }) => {
            const difference = (after ?? 0) - (before ?? 0);
            return (
              <tr key={member_id}>
                <th scope="row">
                  {name || external_id} {name && <span class="hint">{external_id}</span>}
                </th>
                <td class="number" data-label="Before">
                  {before === null ? "–" : measure(before)}
                </td>
                <td class="number" data-label="After">
                  {after === null ? "–" : measure(after)}
                </td>
                <td class="number wide" data-label="Change">
                  <span class={`badge ${difference < 0 ? "bad" : "good"}`}>
                    {difference < 0 ? "−" : "+"}
                    {measure(Math.abs(difference))}
                  </span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Decision({ report: { assignment, id, state, changes }, onChanged }: Omit<Props, "holds">) {
  const { api } = current();
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const no = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (asked) no.current?.focus();
  }, [asked]);
  const act = async (verb: "commit" | "discard") => {
    setBusy(true);
    setProblem(null);
    try {
      await api.post(`v1/assignments/${encodeURIComponent(assignment)}/regrades/${encodeURIComponent(id)}:${verb}`);
      await onChanged();
    } catch (error) {
      setProblem(Problem.of(error));
    } finally {
      setBusy(false);
      setAsked(false);
    }
  };
  return (
    <>
      <Alert problem={problem} />
      <div class="card-foot decision">
        {asked ? (
          <div role="alertdialog" aria-label="Commit the regrade?" class="actions">
            <span>
              {changes.length === 0
                ? "No grade changes now; later reads use these results."
                : `This changes ${changes.length} ${changes.length === 1 ? "grade" : "grades"} at once. Learners see it.`}
            </span>
            <button type="button" disabled={busy} onClick={() => void act("commit")}>
              {busy ? "Committing…" : "Change the grades"}
            </button>
            <button type="button" class="quiet" ref={no} onClick={() => setAsked(false)}>
              Not yet
            </button>
          </div>
        ) : (
          <div class="actions">
            {state === "ready" && (
              <button type="button" disabled={busy} onClick={() => setAsked(true)}>
                Commit
              </button>
            )}
            <button type="button" class="secondary" disabled={busy} onClick={() => void act("discard")}>
              Discard
            </button>
          </div>
        )}
      </div>
    </>
  );
}
