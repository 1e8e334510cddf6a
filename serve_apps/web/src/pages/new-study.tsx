import { useEffect, useState } from "preact/hooks";
import { usualSteps } from "../drafts/environments";
import { useDraft } from "../drafts/stored";
import { copyOfStudy, newStudy, plannedTrials, type StudyDraft, seedsOf, toStudyRequest } from "../drafts/study";
import { count } from "../format";
import { Simulated } from "../parts/badge";
import { EnvironmentPicker } from "../parts/environment-picker";
import { useFetched } from "../parts/fetched";
import { useSubmit } from "../parts/form";
import { Heading } from "../parts/heading";
import { Hyperparameters } from "../parts/hyperparameters";
import { NotAllowed } from "../parts/not-allowed";
import { Alert, Field, FormProblem } from "../parts/problem";
import { Method } from "../parts/studies/method";
import { Space } from "../parts/studies/space";
import { TextField, type TextName } from "../parts/text-field";
import { Problem } from "../problem";
import { go, route } from "../router";
import { current, may } from "../session";
import type { EnvironmentInfo, Study } from "../types";

export function NewStudyPage() {
  return may("train") ? <StudyForm /> : <NoScope />;
}

function NoScope() {
  return (
    <NotAllowed title="Start a study" what="start studies" scope="train">
      <a href="#/studies">Go to the studies</a>.
    </NotAllowed>
  );
}

function StudyForm() {
  const { api } = current();
  const [draft, change] = useDraft("study", newStudy());
  const listed = useFetched<{ items: EnvironmentInfo[] }>("v1/environments");
  const environments = listed.value?.items ?? [];
  const lost = useCopy(change);
  const { busy, problem, submit } = useSubmit(
    (key) => api.post<Study>("v1/studies", toStudyRequest(draft), key),
    ({ id }) => go(`/studies/${id}`),
  );
  const text = (name: TextName<StudyDraft>, path: string, label: string, hint?: string, placeholder?: string) => (
    <TextField
      draft={draft}
      change={change}
      name={name}
      path={path}
      label={label}
      hint={hint}
      placeholder={placeholder}
    />
  );
  const chosen = environments.find(({ id }) => id === draft.env);
  const population = draft.sampler === "population";
  return (
    <FormProblem.Provider value={problem}>
      <form class="narrow-page" onSubmit={submit} noValidate>
        <div class="page-head">
          <Heading title="Start a study" />
        </div>
        <p class="lead">
          A study trains with many settings, each with several seeds, and ranks them by the return of their last policy
          evaluation.
        </p>
        <Alert problem={problem ?? listed.problem ?? lost} />
        <section class="card">
          <header class="card-head">
            <h2>Training of each trial</h2>
          </header>
          <div class="pad grid">
            <Field name="training.env" label="Environment" hint="Type to search, or give any id.">
              {(control) => (
                <EnvironmentPicker
                  control={control}
                  environments={environments}
                  chosen={draft.env}
                  onChange={(env) => change(withUsualSteps(draft, env, environments))}
                />
              )}
            </Field>
            <Field name="training.preset" label="Preset" hint="Settings that the search does not change">
              {(control) => (
                <select
                  {...control}
                  value={draft.preset}
                  onChange={(event) => change({ preset: event.currentTarget.value })}
                >
                  <option value="">
                    {chosen && !chosen.preset ? "None: Stable-Baselines3's defaults" : "The environment's preset"}
                  </option>
                  {environments.flatMap(({ preset }) => (preset ? [<option key={preset}>{preset}</option>] : []))}
                </select>
              )}
            </Field>
            {text("envSteps", "training.stop.env_steps", "Env steps", "Of each training")}
            {text("seeds", "seeds", "Seeds", "Each trial is trained with all: 0, 1, 2 or 0..4")}
            {text("evaluateEpisodes", "training.evaluation.episodes", "Evaluation episodes", "The evaluation ranks")}
            <label class="check">
              <input
                type="checkbox"
                checked={draft.engine === "simulated"}
                onChange={(event) => change({ engine: event.currentTarget.checked ? "simulated" : "rllib" })}
              />
              <span>
                Made-up curves <Simulated />: train nothing, to try a study out
              </span>
            </label>
            {draft.engine === "simulated" &&
              text("pace", "training.env_config.simulated_iteration_s", "Simulated iteration (s)")}
          </div>
        </section>
        <section class="card">
          <header class="card-head">
            <h2>Search space</h2>
            <span class="hint">hyperparameters as Stable-Baselines3 names them; a dot reaches inside</span>
          </header>
          <Space rows={draft.space} change={(space) => change({ space })} />
        </section>
        <section class="card">
          <header class="card-head">
            <h2>Method</h2>
          </header>
          <Method draft={draft} change={change} />
        </section>
        <section class="card">
          <header class="card-head">
            <h2>Budget</h2>
            <span class="hint">the study ends at the first of these</span>
          </header>
          <div class="pad grid">
            {!population && text("trials", "trials", "Trials", undefined, "no limit")}
            {text("budget", "budget_env_steps", "Env steps in all", "Of all trainings together", "no limit")}
            {text("target", "target_return", "Target return", "A trial's mean over its seeds", "none")}
            {text("parallel", "parallel", "Trainings at a time")}
          </div>
        </section>
        <details class="card">
          <summary class="card-head">
            <h2>More</h2>
            <span class="hint">name, hyperparameters that are the same in all trials</span>
          </summary>
          <div class="pad grid">
            <TextField text draft={draft} change={change} name="name" path="name" label="Name" hint="To find it by" />
          </div>
          <Hyperparameters draft={draft} change={change} path="training.hyperparameters" />
        </details>
        <div class="form-end">
          <p class="hint">{summaryOf(draft)}</p>
          <button type="submit" disabled={busy}>
            {busy ? "Starting…" : "Start the study"}
          </button>
        </div>
      </form>
    </FormProblem.Provider>
  );
}

/** `draft` with another environment; steps that nobody has changed become the usual ones of that environment. */
function withUsualSteps({ env: before, envSteps }: StudyDraft, env: string, known: EnvironmentInfo[]) {
  const usual = (id: string) => usualSteps(known.find((one) => one.id === id));
  return [usual(before), newStudy().envSteps].includes(envSteps) ? { env, envSteps: usual(env) } : { env };
}

/** The size of the study in words: `Up to 20 trials × 3 seeds: 60 trainings, 6,000,000 env steps.` */
function summaryOf(draft: StudyDraft): string {
  const [trials, seeds] = [plannedTrials(draft), seedsOf(draft.seeds)?.length ?? 0];
  if (!trials || seeds === 0) return "";
  const generations = draft.sampler === "population" ? Number(draft.generations) : 1;
  const steps = (trials * seeds * Number(draft.envSteps)) / generations;
  const budget = Number(draft.budget) || Number.POSITIVE_INFINITY;
  const many = (number: number, noun: string) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
  const total = Number.isFinite(steps) && steps > 0 ? `, ${many(Math.min(steps, budget), "env step")}` : "";
  return `Up to ${many(trials, "trial")} × ${many(seeds, "seed")}: ${many(trials * seeds, "training")}${total}.`;
}

/** `#/studies/new?copy=study_…`: the draft becomes that of the study. */
function useCopy(change: (changes: Partial<StudyDraft>) => void): Problem | null {
  const { api } = current();
  const { query } = route.value;
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    const id = query.get("copy");
    if (!id) return;
    api
      .get<Study>(`v1/studies/${encodeURIComponent(id)}`)
      .then((study) => change(copyOfStudy(study)))
      .catch((error) => setProblem(Problem.of(error)))
      // the draft holds it from now on: coming back to this entry of the history changes nothing
      .finally(() => window.history.replaceState(null, "", "#/studies/new"));
  }, [query]);
  return problem;
}
