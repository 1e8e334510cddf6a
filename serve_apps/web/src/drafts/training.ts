/** A training being set up, and the request that it makes. */
import { count } from "../format";
import { type FieldError, Problem } from "../problem";
import type { CheckpointInfo, EnvironmentInfo, JsonValue, StopCriteria, Training, TrainingRequest } from "../types";
import { loose, written } from "./loose";
import { parseNumber } from "./submission";

export interface TrainingDraft {
  env: string;
  preset: string;
  engine: "rllib" | "simulated";
  seed: string;
  stop: Record<Exclude<keyof StopCriteria, "more_env_steps">, string>;
  hyperparameters: { key: number; name: string; value: string }[];
  envRunners: string;
  envsPerRunner: string;
  evaluateEvery: string;
  evaluateEpisodes: string;
  checkpointEvery: string;
  keepLast: string;
  keepBest: boolean;
  resumeFrom: string;
  /** Counters of the checkpoint that `resumeFrom` names, where they are known: the new training counts on from them. */
  done: { checkpoint: string; envSteps: number; iteration: number } | null;
  /** Fields of `env_config` that the form does not show. */
  envConfig: Record<string, JsonValue>;
  pace: string;
  /** The request that is continued: its fields that the form does not show are sent again, for the same environment. */
  parent: TrainingRequest | null;
}

const RETURN = "rollout/episode_return_mean";

export const newTraining = (): TrainingDraft => ({
  env: "CartPole-v1",
  preset: "",
  engine: "rllib",
  seed: "0",
  stop: { env_steps: "100000", episode_return_mean: "", wall_time_s: "", iterations: "" },
  hyperparameters: [],
  envRunners: "0",
  envsPerRunner: "",
  evaluateEvery: "",
  evaluateEpisodes: "",
  checkpointEvery: "20",
  keepLast: "3",
  keepBest: true,
  resumeFrom: "",
  done: null,
  envConfig: {},
  pace: "0.05",
  parent: null,
});

const MORE_ENV_STEPS = 100_000;

/** Steps that an environment is trained for unless somebody says otherwise: those of its preset, where it has one. */
const usualSteps = (environment: EnvironmentInfo | undefined) => String(environment?.preset_env_steps ?? 100_000);

/** `draft` with another environment; steps that nobody has changed become the usual ones of that environment. */
export function withEnvironment(draft: TrainingDraft, env: string, known: EnvironmentInfo[]): Partial<TrainingDraft> {
  const find = (id: string) => known.find((environment) => environment.id === id);
  const untouched = [usualSteps(undefined), usualSteps(find(draft.env))].includes(draft.stop.env_steps);
  if (draft.done || !untouched) return { env };
  return { env, stop: { ...draft.stop, env_steps: usualSteps(find(env)) } };
}

/**
 * A draft that continues `parent` from `checkpoint` as it was trained. The counters include what the checkpoint has done,
 * so each stop criterion is moved beyond that; a return that was reached already is left out.
 */
export function continuation({ request, progress, metrics }: Training, checkpoint: CheckpointInfo): TrainingDraft {
  const { stop, evaluation, checkpoint: plan, resources } = request;
  const more = (request.resume_from === null && stop.env_steps) || MORE_ENV_STEPS;
  const reached = Math.max(metrics[RETURN] ?? Number.NEGATIVE_INFINITY, checkpoint.episode_return_mean ?? -Infinity);
  const target = stop.episode_return_mean;
  const { simulated_iteration_s: pace, ...envConfig } = request.env_config;
  const text = (value: number | null | undefined) => (value == null ? "" : String(value));
  return {
    env: request.env,
    preset: request.preset ?? "",
    engine: request.engine,
    seed: String(request.seed),
    stop: {
      env_steps: String(checkpoint.env_steps + more),
      episode_return_mean: target != null && target > reached ? String(target) : "",
      wall_time_s: stop.wall_time_s == null ? "" : String(Math.ceil(progress.train_wall_s + stop.wall_time_s)),
      iterations: stop.iterations == null ? "" : String(checkpoint.iteration + stop.iterations),
    },
    hyperparameters: Object.entries(request.hyperparameters).map(([name, value], index) => ({
      key: index + 1,
      name,
      value: written(value),
    })),
    envRunners: text(resources.num_env_runners) || "0",
    envsPerRunner: text(resources.num_envs_per_env_runner),
    evaluateEvery: text(evaluation.every_iterations),
    evaluateEpisodes: text(evaluation.episodes),
    checkpointEvery: text(plan.every_iterations),
    keepLast: text(plan.keep_last),
    keepBest: plan.keep_best,
    resumeFrom: checkpoint.id,
    done: { checkpoint: checkpoint.id, envSteps: checkpoint.env_steps, iteration: checkpoint.iteration },
    envConfig,
    pace: text(pace as number | undefined) || "0.05",
    parent: request,
  };
}

/** `draft` for a training of its own: not from a checkpoint, with the first steps of its parent's to do. */
export function fresh(draft: TrainingDraft): Partial<TrainingDraft> {
  const { stop } = newTraining();
  return { resumeFrom: "", done: null, stop: { ...draft.stop, env_steps: stop.env_steps, iterations: "" } };
}

export const HYPERPARAMETERS = [
  "n_steps",
  "batch_size",
  "n_epochs",
  "gamma",
  "gae_lambda",
  "learning_rate",
  "clip_range",
  "clip_range_vf",
  "ent_coef",
  "vf_coef",
  "max_grad_norm",
  "normalize",
  "normalize_advantage",
  "target_kl",
  "use_sde",
  "sde_sample_freq",
];

/** Make the request. Throws a `Problem` if a field is not a number. */
export function toRequest(draft: TrainingDraft): object {
  const errors: FieldError[] = [];
  const number = (field: string, text: string) => parseNumber(field, text, errors);
  const optional = (field: string, text: string) => (text.trim() === "" ? null : number(field, text));
  const stop: StopCriteria = {};
  for (const [name, text] of Object.entries(draft.stop)) {
    if (text.trim() !== "") stop[name as keyof StopCriteria] = number(`stop.${name}`, text);
  }
  const resumeFrom = draft.resumeFrom.trim();
  const given = <T>(values: Record<string, T | null>) =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
  if (draft.done && draft.done.checkpoint === resumeFrom) check(stop, draft.done, errors);
  const parent = draft.parent?.env === draft.env.trim() ? draft.parent : undefined;
  const request = {
    ...parent,
    env: draft.env.trim(),
    env_config: {
      ...draft.envConfig,
      ...(draft.engine === "simulated"
        ? { simulated_iteration_s: number("env_config.simulated_iteration_s", draft.pace) }
        : {}),
    },
    engine: draft.engine,
    seed: number("seed", draft.seed),
    preset: draft.preset || null,
    hyperparameters: Object.fromEntries(
      draft.hyperparameters.filter(({ name }) => name.trim()).map(({ name, value }) => [name.trim(), loose(value)]),
    ),
    stop,
    resources: {
      ...parent?.resources,
      num_env_runners: number("resources.num_env_runners", draft.envRunners),
      num_envs_per_env_runner: optional("resources.num_envs_per_env_runner", draft.envsPerRunner),
    },
    // the platform's defaults apply to empty fields, as for requests of the command line
    evaluation: {
      ...parent?.evaluation,
      ...given({
        every_iterations: optional("evaluation.every_iterations", draft.evaluateEvery),
        episodes: optional("evaluation.episodes", draft.evaluateEpisodes),
      }),
    },
    checkpoint: {
      ...parent?.checkpoint,
      every_iterations: number("checkpoint.every_iterations", draft.checkpointEvery),
      keep_last: number("checkpoint.keep_last", draft.keepLast),
      keep_best: draft.keepBest,
    },
    resume_from: resumeFrom || null,
  };
  if (errors.length > 0) throw new Problem("invalid_request", "Not sent yet", errors[0]?.message ?? "", 0, errors);
  return request;
}

/** Return the criteria that a checkpoint has already met: with one of them a training would end before it begins. */
function check(stop: StopCriteria, done: NonNullable<TrainingDraft["done"]>, errors: FieldError[]): void {
  for (const [name, label, least] of [
    ["env_steps", "env steps", done.envSteps],
    ["iterations", "iterations", done.iteration],
  ] as const) {
    const value = stop[name];
    if (value != null && value <= least) {
      const message = `The checkpoint has done ${count(least)} ${label} already, and they count: give more than that.`;
      errors.push({ field: `stop.${name}`, message });
    }
  }
}
