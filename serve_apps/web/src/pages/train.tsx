import { fresh } from "../drafts/earlier";
import { storeDraft, useDraft } from "../drafts/stored";
import {
  isContinued,
  newTraining,
  type TrainingDraft,
  toRequest,
  withEnvironment,
  withPreset,
} from "../drafts/training";
import { WRAPPERS } from "../drafts/wrappers";
import { count, shortId } from "../format";
import { Simulated } from "../parts/badge";
import { useEarlier } from "../parts/earlier";
import { EnvironmentPicker } from "../parts/environment-picker";
import { Facts } from "../parts/environments";
import { useFetched } from "../parts/fetched";
import { useSubmit } from "../parts/form";
import { Heading } from "../parts/heading";
import { Hyperparameters } from "../parts/hyperparameters";
import { NotAllowed } from "../parts/not-allowed";
import { OwnEnvironment } from "../parts/own-environment";
import { OwnReward } from "../parts/own-reward";
import { Alert, Field, FormProblem, GroupError } from "../parts/problem";
import { TextField, type TextName } from "../parts/text-field";
import { go } from "../router";
import { current, may } from "../session";
import type { EnvironmentInfo, Training } from "../types";

export function TrainPage() {
  return may("train") ? <TrainForm /> : <NoScope />;
}

function NoScope() {
  return (
    <NotAllowed title="Train a policy" what="start trainings" scope="train">
      <a href="#/evaluate">Evaluate code</a> or <a href="#/runs">go to the runs</a>.
    </NotAllowed>
  );
}

function TrainForm() {
  const { api } = current();
  const [draft, change] = useDraft("training", newTraining());
  const listed = useFetched<{ items: EnvironmentInfo[] }>("v1/environments");
  const environments = listed.value?.items ?? [];
  const { lost, cloned } = useEarlier(change);
  const { busy, problem, submit } = useSubmit(
    (key) => api.post<Training>("v1/trainings", toRequest(draft), key),
    (training) => {
      // the next training is one of its own: only a checkpoint's link continues one
      if (isContinued(draft)) storeDraft("training", { ...draft, ...fresh(draft) });
      go(`/trainings/${training.id}`);
    },
  );
  const text = (name: TextName<TrainingDraft>, path: string, label: string, hint?: string, placeholder?: string) => (
    <TextField
      draft={draft}
      change={change}
      name={name}
      path={path}
      label={label}
      hint={hint}
      placeholder={placeholder}
      text={name === "resumeFrom"}
    />
  );
  const chosen = environments.find(({ id }) => id === draft.env);
  const presets = environments.flatMap(({ preset }) => preset ?? []);
  const more = isContinued(draft);
  const done = draft.done && draft.done.checkpoint === draft.resumeFrom.trim() ? draft.done : null;
  return (
    <FormProblem.Provider value={problem}>
      <form class="narrow-page" onSubmit={submit} noValidate>
        <div class="page-head">
          <Heading title={isContinued(draft) ? "Continue training" : "Train a policy"} />
        </div>
        {done && (
          <p class="banner calm">
            Continues from checkpoint <code>{shortId(done.checkpoint)}</code> of {draft.env}, which has done{" "}
            {count(done.envSteps)} env steps in {count(done.iteration)} iterations.{" "}
            <button type="button" class="quiet" onClick={() => change(fresh(draft))}>
              Start from scratch instead
            </button>
          </p>
        )}
        {cloned && !isContinued(draft) && (
          <p class="banner calm">
            The settings of <a href={`#/trainings/${cloned}`}>{shortId(cloned)}</a>, from the beginning. Change what you
            want to compare.{" "}
            <button type="button" class="quiet" onClick={() => change(newTraining())}>
              Clear the form
            </button>
          </p>
        )}
        <Alert problem={problem ?? listed.problem ?? lost} />
        <section class="card">
          <header class="card-head">
            <h2>Environment</h2>
          </header>
          <div class="pad grid">
            <Field
              name="env"
              label="Environment"
              hint={
                listed.value || listed.problem
                  ? "Type to search, also for the names of uploaded ones, or give any id of Gymnasium or EnvPool."
                  : "Loading the list of environments…"
              }
            >
              {(control) => (
                <EnvironmentPicker
                  control={control}
                  environments={environments}
                  chosen={draft.env}
                  onChange={(env) => change(withEnvironment(draft, env, environments))}
                />
              )}
            </Field>
            <Field
              name="preset"
              label="Preset"
              hint="Tuned hyperparameters. Those that you set under Advanced take precedence."
            >
              {(control) => (
                <select
                  {...control}
                  value={draft.preset}
                  onChange={(event) => change(withPreset(draft, event.currentTarget.value, environments))}
                >
                  <option value="">
                    {chosen && !chosen.preset ? "None: Stable-Baselines3's defaults" : "The environment's preset"}
                  </option>
                  {presets.map((preset) => (
                    <option key={preset}>{preset}</option>
                  ))}
                </select>
              )}
            </Field>
            {text("seed", "seed", "Seed", "The same seed gives the same training.")}
          </div>
          <Facts environment={chosen} />
          <OwnEnvironment onReady={({ id }) => change({ env: id, preset: "" })} onChange={() => void listed.reload()} />
          <OwnReward draft={draft} env={draft.env} envConfig={draft.envConfig} change={change} onSubmit={submit} />
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
                <span class="hint">Trains a policy.</span>
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
                <span class="hint">Trains nothing: for trying the platform out.</span>
              </span>
            </label>
            <GroupError name="engine" />
          </fieldset>
        </section>
        <section class="card">
          <header class="card-head">
            <h2>Stop when</h2>
            <span class="hint">
              the first of these is reached. Training stops at the end of an iteration, so a few more env steps may run.
            </span>
          </header>
          <div class="pad grid">
            {(
              [
                ["env_steps", more ? "More env steps" : "Env steps", more ? moreHint(draft, done) : null],
                ["episode_return_mean", "Mean episode return", "Of the last 100 episodes"],
                ["wall_time_s", "Training time (s)", null],
                ["iterations", "Iterations", done && `${count(done.iteration)} are done`],
              ] as const
            ).map(([name, label, hint]) => (
              <Field
                name={name === "env_steps" && more ? "stop.more_env_steps" : `stop.${name}`}
                label={label}
                key={name}
                hint={hint ?? undefined}
              >
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
        <details class="card">
          <summary class="card-head">
            <h2>Advanced</h2>
            <span class="hint">hyperparameters, resources, policy evaluation, checkpoints, wrappers</span>
          </summary>
          <Hyperparameters draft={draft} change={change} />
          <div class="pad grid">
            {text("envRunners", "resources.num_env_runners", "Env runners", "0: the trainer samples by itself")}
            {text("envsPerRunner", "resources.num_envs_per_env_runner", "Envs per runner", "Empty: as the preset says")}
            {text(
              "evaluateEvery",
              "evaluation.every_iterations",
              "Evaluate the policy every",
              "Iterations. The policy is always evaluated at the end.",
              "only at the end",
            )}
            {text(
              "evaluateEpisodes",
              "evaluation.episodes",
              "Evaluation episodes",
              "More episodes: a more certain mean",
              "as the platform says",
            )}
            {text(
              "checkpointEvery",
              "checkpoint.every_iterations",
              "Save a checkpoint every",
              "Iterations; 0: only at pause and end",
            )}
            {text("keepLast", "checkpoint.keep_last", "Newest checkpoints kept")}
            <Field
              name="wrappers"
              label="Wrappers"
              deep
              hint={`Around the environment, the first one innermost: ${WRAPPERS.join(", ")}`}
            >
              {(control) => (
                <input
                  {...control}
                  autocomplete="off"
                  spellcheck={false}
                  placeholder="frame_stack:n=4 clip_reward"
                  value={draft.wrappers}
                  onInput={(event) => change({ wrappers: event.currentTarget.value })}
                />
              )}
            </Field>
            {text("resumeFrom", "resume_from", "Continue from checkpoint", "An id: ckpt_…")}
            {draft.engine === "simulated" &&
              text("pace", "env_config.simulated_iteration_s", "Simulated iteration (s)")}
            <label class="check">
              <input
                type="checkbox"
                checked={draft.keepBest}
                onChange={(event) => change({ keepBest: event.currentTarget.checked })}
              />
              Also keep the checkpoint with the best training return
            </label>
          </div>
        </details>
        <div class="form-end">
          <button type="submit" disabled={busy}>
            {busy
              ? "Starting…"
              : draft.engine === "simulated"
                ? "Start the simulated training"
                : more
                  ? "Continue training"
                  : "Start training"}
          </button>
        </div>
      </form>
    </FormProblem.Provider>
  );
}

/** Env steps in all, where the checkpoint's are known. */
function moreHint({ stop }: TrainingDraft, done: TrainingDraft["done"]): string {
  const more = Number(stop.env_steps);
  if (!done || !(more > 0)) return "Beyond those of the checkpoint";
  return `${count(done.envSteps)} are done: ${count(done.envSteps + more)} in all`;
}
