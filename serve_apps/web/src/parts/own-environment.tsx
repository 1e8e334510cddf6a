/** An environment of one's own: upload it, read the report on its contract, train on it. */
import { useEffect, useState } from "preact/hooks";
import { type EnvironmentFileDraft, entriesOf, read, told, toUpload } from "../drafts/environment";
import { measure, words } from "../format";
import { Problem } from "../problem";
import { current } from "../session";
import type { ContractCheck, UserEnvironment } from "../types";
import { Badge, VerdictBadge } from "./badge";
import { FileChooser } from "./file-chooser";
import { usePolled } from "./polled";
import { Alert, Field, FormProblem } from "./problem";

const POLL_MS = 700;

const isChecking = ({ state }: UserEnvironment): boolean => state === "checking";

interface Props {
  /** Called with an environment that can be trained on. */
  onReady: (environment: UserEnvironment) => void;
  /** Called when the list of environments has changed. */
  onChange: () => void;
}

export function OwnEnvironment({ onReady, onChange }: Props) {
  const { api } = current();
  const [files, setFiles] = useState<EnvironmentFileDraft[]>([]);
  const [entry, setEntry] = useState("");
  const [sent, setSent] = useState<UserEnvironment | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const report = usePolled<UserEnvironment>(sent && `v1/environments/${sent.id}`, POLL_MS, isChecking);
  const environment = report.found?.id === sent?.id ? (report.found ?? sent) : sent;
  useEffect(() => {
    if (!environment || isChecking(environment)) return;
    onChange();
    if (environment.state === "ready") onReady(environment);
  }, [environment?.id, environment?.state]);
  const entries = entriesOf(files);
  const choose = async (dropped: readonly File[]) => {
    setProblem(null);
    try {
      const added = await read(dropped);
      const kept = files.filter(({ path }) => !added.some((file) => file.path === path));
      const all = [...kept, ...added];
      setFiles(all);
      setSent(null);
      if (!entriesOf(all).includes(entry)) setEntry(entriesOf(all)[0] ?? "");
    } catch (error) {
      setProblem(new Problem("invalid_request", "Not added", (error as Error).message));
    }
  };
  const upload = async () => {
    setBusy(true);
    setProblem(null);
    try {
      setSent(await api.post<UserEnvironment>("v1/environments", toUpload(files, entry)));
    } catch (error) {
      setProblem(Problem.of(error));
    } finally {
      setBusy(false);
    }
  };
  const checking = environment !== null && isChecking(environment);
  return (
    <FormProblem.Provider value={problem}>
      <details class="own-environment">
        <summary>Upload an environment of your own</summary>
        <div class="pad">
          <p class="hint">
            A class with the interface of <code>gymnasium.Env</code>, in files of 1 MiB in all. It is checked and
            trained in sandboxes, and only you and your course staff see it.
          </p>
          <Alert problem={problem ?? report.problem} />
          <div class="file-tabs">
            <FileChooser
              text="Choose files"
              label="Files of the environment"
              onChoose={(chosen) => void choose(chosen)}
            />
            <span>{files.length === 0 ? "No file is chosen." : files.map(({ path }) => path).join(", ")}</span>
            {files.length > 0 && (
              <button type="button" class="quiet push" onClick={() => setFiles([])}>
                Remove them
              </button>
            )}
          </div>
          {files.length > 0 && (
            <>
              <Field name="entry" label="Class" hint="Module and class, as grid:GridWorld">
                {(control) => (
                  <>
                    <input
                      {...control}
                      list="environment-entries"
                      autocomplete="off"
                      spellcheck={false}
                      value={entry}
                      onInput={(event) => setEntry(event.currentTarget.value)}
                    />
                    <datalist id="environment-entries">
                      {entries.map((one) => (
                        <option key={one} value={one} />
                      ))}
                    </datalist>
                  </>
                )}
              </Field>
              <button type="button" class="secondary" disabled={busy || checking || !entry.trim()} onClick={upload}>
                {checking ? "Checking…" : "Upload and check"}
              </button>
            </>
          )}
        </div>
        {environment && <Report environment={environment} />}
      </details>
    </FormProblem.Provider>
  );
}

/** Results of the contract's checks, one row each. */
function Report({ environment }: { environment: UserEnvironment }) {
  return (
    <>
      <ul class="tests">
        {environment.report.map((check) => (
          <li class="test" key={check.check}>
            <div class="test-head">
              <span class="test-id">{words(check.check)}</span>
              <Verdict check={check} />
              <span class="usage">{facts(check)}</span>
            </div>
            {check.message && <pre class="message">{check.message}</pre>}
          </li>
        ))}
      </ul>
      <p
        class={environment.state === "ready" || environment.state === "checking" ? "hint pad" : "error pad"}
        role="status"
      >
        {told(environment)}
      </p>
    </>
  );
}

/** A check is a test whose program is the environment: that it fails is no wrong answer, but a broken contract. */
function Verdict({ check: { verdict } }: { check: ContractCheck }) {
  if (verdict === "accepted") return <Badge tone="good" sign="✓" text="holds" />;
  if (verdict === "wrong_answer") return <Badge tone="bad" sign="✕" text="broken" />;
  return <VerdictBadge verdict={verdict} />;
}

function facts({ facts }: ContractCheck): string {
  return Object.entries(facts)
    .filter(([, value]) => typeof value === "number")
    .map(([name, value]) => `${words(name)} ${measure(value as number)}`)
    .join(" · ");
}
