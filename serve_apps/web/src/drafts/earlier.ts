/** Drafts made from an earlier training: continue it from a checkpoint, or train once more with other settings. */
import type { CheckpointInfo, Training } from "../types";
import { written } from "./loose";
import { newTraining, type TrainingDraft } from "./training";
import { wrappersText } from "./wrappers";

const RETURN = "rollout/episode_return_mean";
const MORE_ENV_STEPS = 100_000;

const text = (value: number | null | undefined) => (value == null ? "" : String(value));

/** `labels` without those by which a study finds its trials: a clone is none of them. */
function ownLabels(labels: Training["labels"]): Training["labels"] {
  if (!labels.study?.startsWith("study_")) return labels;
  const { study: _, trial: __, ...own } = labels;
  return own;
}

/** A draft that trains as `training` was trained, from the beginning: with its labels, without its name and notes. */
export function cloneOf({ request, labels }: Training): TrainingDraft {
  const { stop, evaluation, checkpoint, resources } = request;
  const { simulated_iteration_s: pace, ...envConfig } = request.env_config;
  const blank = newTraining();
  return {
    env: request.env,
    preset: request.preset ?? "",
    engine: request.engine,
    seed: String(request.seed),
    stop: {
      env_steps: text(stop.env_steps),
      episode_return_mean: text(stop.episode_return_mean),
      wall_time_s: text(stop.wall_time_s),
      iterations: text(stop.iterations),
    },
    hyperparameters: Object.entries(request.hyperparameters).map(([name, value], index) => ({
      key: index + 1,
      name,
      value: written(value),
    })),
    envRunners: text(resources.num_env_runners) || blank.envRunners,
    envsPerRunner: text(resources.num_envs_per_env_runner),
    evaluateEvery: text(evaluation.every_iterations),
    evaluateEpisodes: text(evaluation.episodes),
    checkpointEvery: text(checkpoint.every_iterations),
    keepLast: text(checkpoint.keep_last),
    keepBest: checkpoint.keep_best,
    wrappers: wrappersText(request.wrappers),
    reward: request.reward?.source ?? blank.reward,
    rewardEntry: request.reward?.entry ?? blank.rewardEntry,
    resumeFrom: "",
    done: null,
    envConfig,
    pace: text(pace as number | undefined) || blank.pace,
    parent: { ...request, labels: ownLabels(labels), name: null, notes: null },
  };
}

/**
 * A draft that continues `training` from `checkpoint` as it was trained, for as many env steps again. Iterations and seconds
 * include what is done, so they are moved beyond that; a return that was reached already is left out.
 */
export function continuation(training: Training, checkpoint: CheckpointInfo): TrainingDraft {
  const { request, progress, metrics } = training;
  const { stop } = request;
  const more = (request.resume_from === null && stop.env_steps) || MORE_ENV_STEPS;
  const reached = Math.max(metrics[RETURN] ?? Number.NEGATIVE_INFINITY, checkpoint.episode_return_mean ?? -Infinity);
  const target = stop.episode_return_mean;
  return {
    ...cloneOf(training),
    stop: {
      env_steps: String(more),
      episode_return_mean: target != null && target > reached ? String(target) : "",
      wall_time_s: stop.wall_time_s == null ? "" : String(Math.ceil(progress.train_wall_s + stop.wall_time_s)),
      iterations: stop.iterations == null ? "" : String(checkpoint.iteration + stop.iterations),
    },
    resumeFrom: checkpoint.id,
    done: { checkpoint: checkpoint.id, envSteps: checkpoint.env_steps, iteration: checkpoint.iteration },
  };
}

/** `draft` for a training of its own: not from a checkpoint. */
export function fresh(draft: TrainingDraft): Partial<TrainingDraft> {
  const { stop } = newTraining();
  return { resumeFrom: "", done: null, stop: { ...draft.stop, env_steps: stop.env_steps, iterations: "" } };
}
