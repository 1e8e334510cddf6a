/** A training being set up, and the request that it makes. */
import { type FieldError, Problem } from "../problem";
import type { Json, StopCriteria } from "../types";
import { parseNumber } from "./submission";

export interface TrainingDraft {
  env: string;
  otherEnv: string;
  preset: string;
  engine: "rllib" | "simulated";
  seed: string;
  stop: Record<keyof StopCriteria, string>;
  hyperparameters: { key: number; name: string; value: string }[];
  envRunners: string;
  envsPerRunner: string;
  evaluateEvery: string;
  evaluateEpisodes: string;
  checkpointEvery: string;
  keepLast: string;
  keepBest: boolean;
  resumeFrom: string;
  pace: string;
}

export const OTHER = "(other)";

export const newTraining = (): TrainingDraft => ({
  env: "CartPole-v1",
  otherEnv: "",
  preset: "",
  engine: "rllib",
  seed: "0",
  stop: { env_steps: "100000", episode_return_mean: "", wall_time_s: "", iterations: "" },
  hyperparameters: [],
  envRunners: "0",
  envsPerRunner: "",
  evaluateEvery: "20",
  evaluateEpisodes: "10",
  checkpointEvery: "20",
  keepLast: "3",
  keepBest: true,
  resumeFrom: "",
  pace: "0.05",
});

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

/** What to send. Throws a `Problem` where a field holds no number. */
export function toRequest(draft: TrainingDraft): object {
  const errors: FieldError[] = [];
  const number = (field: string, text: string) => parseNumber(field, text, errors);
  const optional = (field: string, text: string) => (text.trim() === "" ? null : number(field, text));
  const stop: StopCriteria = {};
  for (const [name, text] of Object.entries(draft.stop)) {
    if (text.trim() !== "") stop[name as keyof StopCriteria] = number(`stop.${name}`, text);
  }
  const request = {
    env: draft.env === OTHER ? draft.otherEnv.trim() : draft.env,
    env_config:
      draft.engine === "simulated"
        ? { simulated_iteration_s: number("env_config.simulated_iteration_s", draft.pace) }
        : {},
    engine: draft.engine,
    seed: number("seed", draft.seed),
    preset: draft.preset || null,
    hyperparameters: Object.fromEntries(
      draft.hyperparameters.filter(({ name }) => name.trim()).map(({ name, value }) => [name.trim(), loose(value)]),
    ),
    stop,
    resources: {
      num_env_runners: number("resources.num_env_runners", draft.envRunners),
      num_envs_per_env_runner: optional("resources.num_envs_per_env_runner", draft.envsPerRunner),
    },
    evaluation: {
      every_iterations: number("evaluation.every_iterations", draft.evaluateEvery),
      episodes: number("evaluation.episodes", draft.evaluateEpisodes),
    },
    checkpoint: {
      every_iterations: number("checkpoint.every_iterations", draft.checkpointEvery),
      keep_last: number("checkpoint.keep_last", draft.keepLast),
      keep_best: draft.keepBest,
    },
    resume_from: draft.resumeFrom.trim() || null,
  };
  if (errors.length > 0) throw new Problem("invalid_request", "Not sent yet", errors[0]?.message ?? "", 0, errors);
  return request;
}

/** A hyperparameter as people write it: `0.01`, `true`, `[64, 64]`; what is no JSON is text, such as `lin_0.001`. */
const PYTHON: Record<string, Json> = { True: true, False: false, None: null };

/** JSON, or what somebody who knows Python writes for it, or text. */
function loose(text: string): Json {
  const word = text.trim();
  if (word in PYTHON) return PYTHON[word] as Json;
  try {
    return JSON.parse(word) as Json;
  } catch {
    const number = Number(word);
    return word !== "" && Number.isFinite(number) ? number : word;
  }
}
