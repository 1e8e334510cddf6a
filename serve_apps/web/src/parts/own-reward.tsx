/** A reward function of one's own: write or upload it, check it in a sandbox, train on it. */
import { useRef, useState } from "preact/hooks";
import { read } from "../drafts/environment";
import {
  EXAMPLE,
  functionsOf,
  NO_REWARD,
  type RewardDraft,
  type RewardReport,
  reportOf,
  toCheck,
  withSource,
} from "../drafts/reward";
import { Problem } from "../problem";
import { current, may } from "../session";
import type { Evaluation, JsonValue } from "../types";
import { Badge } from "./badge";
import { FileChooser } from "./file-chooser";
import { LazyEditor } from "./lazy-editor";
import { Alert, Field, GroupError } from "./problem";

const WAIT_S = 60;

interface Props {
  draft: RewardDraft;
  env: string;
  envConfig: Record<string, JsonValue>;
  change: (changes: RewardDraft) => void;
  onSubmit: () => void;
}

export function OwnReward({ draft, env, envConfig, change, onSubmit }: Props) {
  const { api } = current();
  const editor = useEdition(draft.reward);
  const [begun, begin] = useState(false);
  const [report, setReport] = useState<RewardReport | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const written = begun || draft.reward !== "";
  const edit = (changed: RewardDraft) => {
    setReport(null);
    setProblem(null);
    change(changed);
  };
  const write = (source: string) => {
    begin(true); // an emptied editor stays
    editor.typed(source);
    edit(withSource(draft, source));
  };
  const remove = () => {
    begin(false);
    edit(NO_REWARD);
  };
  const upload = async (chosen: readonly File[]) => {
    try {
      const [file] = await read(chosen);
      if (file) edit(withSource(draft, file.content));
    } catch (error) {
      setProblem(new Problem("invalid_request", "Not taken", (error as Error).message));
    }
  };
  const check = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const asked = toCheck(draft, env.trim(), envConfig);
      setReport(reportOf(await api.post<Evaluation>(`v1/evaluations?wait=${WAIT_S}`, asked)));
    } catch (error) {
      setProblem(Problem.of(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <details class="own-environment own-reward" open={written}>
      <summary>Train on a reward function of your own</summary>
      <div class="pad">
        <p class="hint">
          The policy learns from what this Python function returns for each step, computed in a sandbox. Episode
          returns, policy evaluations and ranks stay the environment's own.
        </p>
        <Alert problem={problem} still />
        <div class="file-tabs">
          <FileChooser
            text="Choose a file"
            label="File of the reward function"
            accept=".py"
            multiple={false}
            onChoose={(chosen) => void upload(chosen)}
          />
          {written ? (
            <button type="button" class="quiet push" onClick={remove}>
              Remove it
            </button>
          ) : (
            <button type="button" class="quiet" onClick={() => edit(withSource(draft, EXAMPLE))}>
              Write one here
            </button>
          )}
        </div>
        {written && (
          <>
            <LazyEditor
              key={editor.edition}
              label="Reward function, in Python"
              value={draft.reward}
              marks={report?.marks ?? NO_MARKS}
              onChange={write}
              onSubmit={onSubmit}
            />
            <GroupError name="reward" />
            <GroupError name="reward.source" />
            <Field name="reward.entry" label="Function" hint="Its name in the text above">
              {(control) => (
                <>
                  <input
                    {...control}
                    list="reward-functions"
                    autocomplete="off"
                    spellcheck={false}
                    value={draft.rewardEntry}
                    onInput={(event) => edit({ ...draft, rewardEntry: event.currentTarget.value })}
                  />
                  <datalist id="reward-functions">
                    {functionsOf(draft.reward).map((name) => (
                      <option key={name} value={name} />
                    ))}
                  </datalist>
                </>
              )}
            </Field>
            {may("evaluate") && (
              <button type="button" class="secondary" disabled={busy} onClick={() => void check()}>
                {busy ? "Checking…" : "Check it"}
              </button>
            )}
            <p role="status">
              {report && (
                <>
                  <Badge
                    tone={report.holds ? "good" : "bad"}
                    sign={report.holds ? "✓" : "✕"}
                    text={report.holds ? "works" : "fails"}
                  />{" "}
                  {report.message}
                </>
              )}
            </p>
          </>
        )}
      </div>
    </details>
  );
}

/** Count the texts that did not come from the editor: with each it has to begin again. */
function useEdition(text: string): { edition: number; typed: (text: string) => void } {
  const known = useRef({ text, edition: 0 });
  if (known.current.text !== text) known.current = { text, edition: known.current.edition + 1 };
  return {
    edition: known.current.edition,
    typed: (text) => {
      known.current = { ...known.current, text };
    },
  };
}

const NO_MARKS: RewardReport["marks"] = [];
