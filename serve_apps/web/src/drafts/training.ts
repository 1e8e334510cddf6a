/** A training being set up, and the request that it makes. */
import { count } from "../format";
import { type FieldError, Problem } from "../problem";
import type { EnvironmentInfo, JsonValue, StopCriteria, TrainingRequest } from "../types";
import { usualSteps } from "./environments";
import { loose } from "./loose";
import { NO_REWARD, type RewardDraft, toReward } from "./reward";
import { parseNumber } from "./submission";
import { parseWrappers } from "./wrappers";

export interface TrainingDraft extends RewardDraft {
  env: string;
  preset: string;
  engine: "rllib" | "simulated";
  seed: string;
  /** `env_steps` counts from the checkpoint that is continued, if there is one. */
  stop: Record<Exclude<keyof StopCriteria, "more_env_steps">, string>;
  hyperparameters: { key: number; name: string; value: string }[];
  envRunners: string;
  envsPerRunner: string;
  evaluateEvery: string;
  evaluateEpisodes: string;
  checkpointEvery: string;
  keepLast: string;
  keepBest: boolean;
  wrappers: string;
  resumeFrom: string;
  /** Counters of the checkpoint that `resumeFrom` names, where they are known: iterations and seconds count on from them. */
  done: { checkpoint: string; envSteps: number; iteration: number } | null;
  /** Fields of `env_config` that the form does not show. */
  envConfig: Record<string, JsonValue>;
  pace: string;
  /** The request that is continued or cloned: fields that the form does not show are sent again, for the same environment. */
  parent: TrainingRequest | null;
}

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
  wrappers: "",
  ...NO_REWARD,
  resumeFrom: "",
  done: null,
  envConfig: {},
  pace: "0.05",
  parent: null,
});

/** `draft` with another environment; steps that nobody has changed become the usual ones of that environment. */
export function withEnvironment(draft: TrainingDraft, env: string, known: EnvironmentInfo[]): Partial<TrainingDraft> {
  const find = (id: string) => known.find((environment) => environment.id === id);
  const untouched = [usualSteps(undefined), usualSteps(find(draft.env))].includes(draft.stop.env_steps);
  if (isContinued(draft) || !untouched) return { env };
  return { env, stop: { ...draft.stop, env_steps: usualSteps(find(env)) } };
}

/** `draft` with another preset; steps that nobody has changed become those of that preset. */
export function withPreset(draft: TrainingDraft, preset: string, known: EnvironmentInfo[]): Partial<TrainingDraft> {
  const steps = (name: string) =>
    usualSteps(known.find((environment) => (name ? environment.preset === name : environment.id === draft.env)));
  if (isContinued(draft) || draft.stop.env_steps !== steps(draft.preset)) return { preset };
  return { preset, stop: { ...draft.stop, env_steps: steps(preset) } };
}

/** True if the training continues from a checkpoint. */
export const isContinued = ({ resumeFrom }: TrainingDraft): boolean => resumeFrom.trim() !== "";

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
  for (const [shown, text] of Object.entries(draft.stop)) {
    const name = shown === "env_steps" && isContinued(draft) ? "more_env_steps" : (shown as keyof StopCriteria);
    if (text.trim() !== "") stop[name] = number(`stop.${name}`, text);
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
    wrappers: parseWrappers(draft.wrappers, errors),
    reward: toReward(draft),
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

/** A number of iterations that the checkpoint has already done would end the training before it begins. */
function check(stop: StopCriteria, done: NonNullable<TrainingDraft["done"]>, errors: FieldError[]): void {
  if (stop.iterations == null || stop.iterations > done.iteration) return;
  const message = `The checkpoint has done ${count(done.iteration)} iterations already, and they count: give more than that.`;
  errors.push({ field: "stop.iterations", message });
}
