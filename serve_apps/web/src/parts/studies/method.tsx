/** How a study chooses trials, and when it ends bad ones early. */
import type { StudyDraft } from "../../drafts/study";
import { Field, GroupError } from "../problem";
import { TextField, type TextName } from "../text-field";

const SAMPLERS: [StudyDraft["sampler"], string, string][] = [
  ["tpe", "TPE", "Learns from the trials so far, and searches near what did well."],
  ["random", "Random", "Draws each trial by itself. A baseline for the others."],
  ["grid", "Grid", "Tries every combination of the listed values."],
  ["population", "Population-based", "Trains a population; bad members copy good ones and change their settings."],
];

const PRUNERS: Record<StudyDraft["pruner"], string> = {
  none: "Every trial is trained in full",
  median: "Ends trials below the median of the others",
  hyperband: "Ends the worst trials at each of several rungs",
};

interface Props {
  draft: StudyDraft;
  change: (changes: Partial<StudyDraft>) => void;
}

export function Method({ draft, change }: Props) {
  const text = (name: TextName<StudyDraft>, path: string, label: string, hint?: string) => (
    <TextField draft={draft} change={change} name={name} path={path} label={label} hint={hint} />
  );
  return (
    <>
      <fieldset class="choice pad engine pairs">
        <legend>Sampler</legend>
        {SAMPLERS.map(([kind, label, hint]) => (
          <label key={kind}>
            <input
              type="radio"
              name="sampler"
              checked={draft.sampler === kind}
              onChange={() => change({ sampler: kind })}
            />
            <span>
              <b>{label}</b>
              <span class="hint">{hint}</span>
            </span>
          </label>
        ))}
        <GroupError name="sampler" />
      </fieldset>
      <div class="pad grid">
        {draft.sampler === "tpe" &&
          text("startupTrials", "sampler.startup_trials", "Random trials first", "Before the estimator has a say")}
        {draft.sampler === "grid" &&
          text("draws", "sampler.draws", "Trials of each combination", "Ranges are drawn at random for each")}
        {draft.sampler === "population" && (
          <>
            {text("members", "sampler.members", "Members", "Trials of each generation")}
            {text("generations", "sampler.generations", "Generations", "Each trains an equal part of the env steps")}
          </>
        )}
        {draft.sampler !== "population" && (
          <Field name="pruner" label="Pruner" hint={PRUNERS[draft.pruner]}>
            {(control) => (
              <select
                {...control}
                value={draft.pruner}
                onChange={(event) => change({ pruner: event.currentTarget.value as StudyDraft["pruner"] })}
              >
                <option value="none">None</option>
                <option value="median">Median</option>
                <option value="hyperband">Hyperband</option>
              </select>
            )}
          </Field>
        )}
        {draft.sampler !== "population" &&
          draft.pruner !== "none" &&
          text("reports", "pruner.reports", "Comparisons of each training", "Policy evaluations at equal distances")}
      </div>
    </>
  );
}
