import { useEffect, useState } from "preact/hooks";
import { useDraft } from "../drafts/stored";
import { newTraining, OTHER, type TrainingDraft, toRequest } from "../drafts/training";
import { Simulated } from "../parts/badge";
import { Environments, Facts } from "../parts/environments";
import { useSubmit } from "../parts/form";
import { Heading } from "../parts/heading";
import { Hyperparameters } from "../parts/hyperparameters";
import { Alert, Field, FormProblem, GroupError } from "../parts/problem";
import { Problem } from "../problem";
import { go, route } from "../router";
import { current } from "../session";
import type { Environment, Training } from "../types";

/** The fields of a draft that are text. */
type TextName = {
  [Name in keyof TrainingDraft]: TrainingDraft[Name] extends string ? Name : never;
}[keyof TrainingDraft];

export function TrainPage() {
  const { api } = current();
  const [draft, change] = useDraft("training", newTraining());
  const [found, setFound] = useState<Environment[] | null>(null);
  const environments = found ?? [];
  const [unlisted, setUnlisted] = useState<Problem | null>(null);
  useEffect(() => {
    const load = api.get<{ items: Environment[] }>("v1/environments");
    load.then(({ items }) => setFound(items)).catch((error) => setUnlisted(Problem.of(error)));
  }, [api]);
  useFromCheckpoint(change);
  const { busy, problem, submit } = useSubmit(
    (key) => api.post<Training>("v1/trainings", toRequest(draft), key),
    (training) => go(`/trainings/${training.id}`),
  );
  const text = (name: TextName, path: string, label: string, hint?: string) => (
    <Field name={path} label={label} hint={hint}>
      {(control) => (
        <input
          {...control}
          inputMode={name === "otherEnv" || name === "resumeFrom" ? "text" : "decimal"}
          value={draft[name]}
          onInput={(event) => change({ [name]: event.currentTarget.value })}
        />
      )}
    </Field>
  );
  const presets = environments.flatMap(({ preset }) => preset ?? []);
  return (
    <FormProblem.Provider value={problem}>
      <form class="narrow-page" onSubmit={submit} noValidate>
        <div class="page-head">
          <Heading title="Train a policy" />
        </div>
        <Alert problem={problem ?? unlisted} />
        <section class="card">
          <header class="card-head">
            <h2>What</h2>
          </header>
          <div class="pad grid">
            <Field
              name="env"
              label="Environment"
              hint={found || unlisted ? undefined : "Looking up what can be trained…"}
            >
              {(control) => (
                <select {...control} value={draft.env} onChange={(event) => change({ env: event.currentTarget.value })}>
                  <Environments environments={environments} chosen={draft.env} />
                </select>
              )}
            </Field>
            {draft.env === OTHER && text("otherEnv", "env", "Environment id", "Any of Gymnasium's or EnvPool's")}
            <Field name="preset" label="Preset" hint="Tuned hyperparameters; what you set below goes before them.">
              {(control) => (
                <select
                  {...control}
                  value={draft.preset}
                  onChange={(event) => change({ preset: event.currentTarget.value })}
                >
                  <option value="">Its own</option>
                  {presets.map((preset) => (
                    <option key={preset}>{preset}</option>
                  ))}
                </select>
              )}
            </Field>
            {text("seed", "seed", "Seed")}
          </div>
          <Facts environment={environments.find(({ id }) => id === draft.env)} />
          <fieldset class="choice pad engine">
            <legend>Engine</legend>
            <label>
              <input
                type="radio"
                name="engine"
                checked={draft.engine === "rllib"}
                onChange={() => change({ engine: "rllib" })}
              />
              <span>
                <b>PPO on RLlib</b>
                <span class="hint">Trains for real.</span>
              </span>
            </label>
            <label>
              <input
                type="radio"
                name="engine"
                checked={draft.engine === "simulated"}
                onChange={() => change({ engine: "simulated" })}
              />
              <span>
                <b>Made-up curve</b> <Simulated />
                <span class="hint">Nothing is trained: to try the platform out.</span>
              </span>
            </label>
            <GroupError name="engine" />
          </fieldset>
        </section>
        <section class="card">
          <header class="card-head">
            <h2>Until</h2>
            <span class="hint">the first of these is met</span>
          </header>
          <div class="pad grid">
            {(
              [
                ["env_steps", "Env steps"],
                ["episode_return_mean", "Mean episode return"],
                ["wall_time_s", "Training time (s)"],
                ["iterations", "Iterations"],
              ] as const
            ).map(([name, label]) => (
              <Field name={`stop.${name}`} label={label} key={name}>
                {(control) => (
                  <input
                    {...control}
                    inputMode="decimal"
                    placeholder="no limit"
                    value={draft.stop[name]}
                    onInput={(event) => change({ stop: { ...draft.stop, [name]: event.currentTarget.value } })}
                  />
                )}
              </Field>
            ))}
            <GroupError name="stop" />
          </div>
        </section>
        <details class="card" open={draft.resumeFrom !== ""}>
          <summary class="card-head">
            <h2>More</h2>
            <span class="hint">hyperparameters, resources, evaluation, checkpoints</span>
          </summary>
          <Hyperparameters draft={draft} change={change} />
          <div class="pad grid">
            {text("envRunners", "resources.num_env_runners", "Env runners", "0: the trainer samples by itself")}
            {text("envsPerRunner", "resources.num_envs_per_env_runner", "Envs per runner", "Empty: as the preset says")}
            {text("evaluateEvery", "evaluation.every_iterations", "Evaluate every", "Iterations; 0: only at the end")}
            {text("evaluateEpisodes", "evaluation.episodes", "Evaluation episodes")}
            {text(
              "checkpointEvery",
              "checkpoint.every_iterations",
              "Checkpoint every",
              "Iterations; 0: only at pause and end",
            )}
            {text("keepLast", "checkpoint.keep_last", "Checkpoints kept", "The newest")}
            {text("resumeFrom", "resume_from", "Go on from checkpoint", "An id, ckpt_…")}
            {draft.engine === "simulated" &&
              text("pace", "env_config.simulated_iteration_s", "Simulated iteration (s)")}
            <label class="check">
              <input
                type="checkbox"
                checked={draft.keepBest}
                onChange={(event) => change({ keepBest: event.currentTarget.checked })}
              />
              Keep the best checkpoint, too
            </label>
          </div>
        </details>
        <div class="form-end">
          <button type="submit" disabled={busy}>
            {busy ? "Starting…" : draft.engine === "simulated" ? "Start the simulated training" : "Start training"}
          </button>
        </div>
      </form>
    </FormProblem.Provider>
  );
}

/** `#/train?resume_from=ckpt_…&env=…`, as a checkpoint's link has it. */
function useFromCheckpoint(change: (changes: Partial<TrainingDraft>) => void): void {
  const { query } = route.value;
  useEffect(() => {
    const resumeFrom = query.get("resume_from");
    const env = query.get("env");
    const engine = query.get("engine") === "simulated" ? "simulated" : "rllib";
    if (resumeFrom && env) change({ resumeFrom, env, engine });
  }, [query]);
}
