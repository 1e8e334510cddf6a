/** A study's document after an event: the same fold as the platform's own (`rlplatform/studies/record.py`). */
import type { RunEvent, StudyEvent } from "../events";
import { isStudy } from "../events";
import type { Study, Trial, TrialTraining, TrialTrainingInEvent } from "../types";

type Finished = Extract<StudyEvent, { type: "study.trial_finished" }>;

/** `study` as it was before its first event. */
export function newbornStudy(study: Study): Study {
  return {
    ...study,
    seq: 0,
    state: "queued",
    trials: [],
    trial_count: 0,
    env_steps: 0,
    best_trial: null,
    best_value: null,
    best_hyperparameters: null,
    importances: {},
    message: null,
    stop_reason: null,
    started_at: null,
    finished_at: null,
  };
}

export function foldStudy(study: Study, event: RunEvent): Study {
  return { ...study, ...(isStudy(event) ? changesOf(study, event) : {}), seq: event.seq };
}

function changesOf(study: Study, event: StudyEvent): Partial<Study> {
  switch (event.type) {
    case "study.started": {
      const state = study.state === "queued" ? "running" : study.state;
      return { state, started_at: study.started_at ?? event.time, message: null };
    }
    case "study.waiting":
      return { message: event.reason };
    case "study.trial_suggested":
      return { trials: [...study.trials, suggested(event)], trial_count: event.trial + 1 };
    case "study.trial_started": {
      const { seed, training_id, from_env_steps = 0 } = event;
      const begun = trainingOf({ seed, training_id, from_env_steps });
      return {
        message: null,
        trials: changed(study, event.trial, ({ trainings }) => ({ trainings: [...trainings, begun] })),
      };
    }
    case "study.trial_reported":
      return { trials: changed(study, event.trial, ({ reports }) => ({ reports: [...reports, event.report] })) };
    case "study.trial_pruned":
      return { trials: changed(study, event.trial, () => ({ state: "pruned" })) };
    case "study.trial_finished":
      return finished(study, event);
    case "study.paused":
      return { state: "paused", message: null };
    case "study.resumed":
      return { state: "running" };
    case "study.succeeded":
      return { state: "succeeded", stop_reason: event.stop_reason, message: null, finished_at: event.time };
    case "study.stopped":
      return {
        state: "stopped",
        stop_reason: event.stop_reason ?? "stop_requested",
        message: null,
        finished_at: event.time,
      };
    case "study.failed":
      return { state: "failed", stop_reason: event.code, message: event.reason, finished_at: event.time };
    default:
      return {};
  }
}

function suggested(event: Extract<StudyEvent, { type: "study.trial_suggested" }>): Trial {
  return {
    number: event.trial,
    state: "running",
    hyperparameters: event.hyperparameters,
    env_steps: event.env_steps ?? null,
    parent: event.parent ?? null,
    trainings: [],
    reports: [],
    value: null,
    interval: null,
    rank: null,
    message: null,
    started_at: event.time,
    finished_at: null,
  };
}

/** The end of a trial changes the ranks of all, and which is the best. */
function finished(study: Study, event: Finished): Partial<Study> {
  const trials = ranked(
    changed(study, event.trial, () => ({
      state: event.state,
      trainings: event.trainings.map(trainingOf),
      value: event.value ?? null,
      interval: event.interval ?? null,
      message: event.message ?? null,
      finished_at: event.time,
    })),
  );
  const importances = event.importances ?? {};
  const top = best(trials);
  return {
    trials,
    env_steps: study.env_steps + event.trainings.reduce((sum, { env_steps = 0 }) => sum + env_steps, 0),
    importances: Object.keys(importances).length > 0 ? importances : study.importances,
    ...(top && { best_trial: top.number, best_value: top.value, best_hyperparameters: top.hyperparameters }),
  };
}

const trainingOf = (told: TrialTrainingInEvent): TrialTraining => ({
  from_env_steps: 0,
  env_steps: 0,
  episode_return_mean: null,
  ...told,
});

const changed = ({ trials }: Study, number: number, changes: (trial: Trial) => Partial<Trial>): Trial[] =>
  trials.map((trial) => (trial.number === number ? { ...trial, ...changes(trial) } : trial));

type Judged = Trial & { value: number };

/** Completed trials: those that have a rank. */
const judged = (trials: readonly Trial[]): Judged[] =>
  trials.filter((trial): trial is Judged => trial.state === "completed" && trial.value !== null);

/** `trials` with their ranks: 1 plus the number of completed trials whose interval lies wholly above the trial's own. */
function ranked(trials: readonly Trial[]): Trial[] {
  const bounds = judged(trials).map(({ number, value, interval }) => ({
    number,
    low: interval?.low ?? value,
    high: interval?.high ?? value,
  }));
  const ranks = new Map(
    bounds.map(({ number, high }) => [number, 1 + bounds.filter((other) => other.low > high).length]),
  );
  return trials.map((trial) => ({ ...trial, rank: ranks.get(trial.number) ?? null }));
}

function best(trials: readonly Trial[]): Judged | null {
  return judged(trials).reduce<Judged | null>((top, trial) => (top && top.value >= trial.value ? top : trial), null);
}

/** What has been requested of a study and not been carried out yet. */
export function foldStudyWish(wish: StudyWish, event: RunEvent): StudyWish {
  switch (event.type) {
    case "study.pause_requested":
      return wish === "stop" ? wish : "pause";
    case "study.resume_requested":
      return wish === "stop" ? wish : "resume";
    case "study.stop_requested":
      return "stop";
    case "study.paused":
      return wish === "pause" ? null : wish;
    case "study.resumed":
      return wish === "resume" ? null : wish;
    case "study.succeeded":
    case "study.stopped":
    case "study.failed":
      return null;
    default:
      return wish;
  }
}

export type StudyWish = "pause" | "resume" | "stop" | null;
