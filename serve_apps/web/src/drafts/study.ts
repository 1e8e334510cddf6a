/** A study being set up, and the request that it makes. */
import { type FieldError, Problem } from "../problem";
import type { JsonValue, Study, TrainingRequest } from "../types";
import { loose, looseList, written } from "./loose";
import { parseNumber } from "./submission";

export interface SearchedDraft {
  key: number;
  name: string;
  kind: "float" | "int" | "categorical";
  low: string;
  high: string;
  log: boolean;
  step: string;
  choices: string;
}

export interface FixedDraft {
  key: number;
  name: string;
  value: string;
}

export interface StudyDraft {
  name: string;
  env: string;
  preset: string;
  engine: "rllib" | "simulated";
  pace: string;
  envSteps: string;
  evaluateEpisodes: string;
  hyperparameters: FixedDraft[];
  space: SearchedDraft[];
  sampler: "tpe" | "random" | "grid" | "population";
  startupTrials: string;
  draws: string;
  members: string;
  generations: string;
  pruner: "none" | "median" | "hyperband";
  reports: string;
  seeds: string;
  trials: string;
  budget: string;
  target: string;
  parallel: string;
  /** Training of the study that is copied: its fields that the form does not show are sent again. */
  parent: TrainingRequest | null;
}

/** More than of a single training: ten episodes do not tell settings apart. */
export const EPISODES = 100;

export const newStudy = (): StudyDraft => ({
  name: "",
  env: "CartPole-v1",
  preset: "",
  engine: "rllib",
  pace: "0.05",
  envSteps: "100000",
  evaluateEpisodes: String(EPISODES),
  hyperparameters: [],
  space: [newSearched(1, { name: "learning_rate", low: "0.0001", high: "0.01", log: true })],
  sampler: "tpe",
  startupTrials: "10",
  draws: "1",
  members: "8",
  generations: "5",
  pruner: "none",
  reports: "10",
  seeds: "0, 1, 2",
  trials: "20",
  budget: "",
  target: "",
  parallel: "2",
  parent: null,
});

export const newSearched = (key: number, given: Partial<SearchedDraft> = {}): SearchedDraft => ({
  key,
  name: "",
  kind: "float",
  low: "",
  high: "",
  log: false,
  step: "",
  choices: "",
  ...given,
});

/** A draft that searches as `study` does, under no name. */
export function copyOfStudy({ request }: Study): StudyDraft {
  const { training, space, sampler, pruner, seeds } = request;
  const { simulated_iteration_s: pace } = training.env_config;
  const text = (value: number | null | undefined) => (value == null ? "" : String(value));
  const draft = newStudy();
  return {
    ...draft,
    env: training.env,
    preset: training.preset ?? "",
    engine: training.engine,
    pace: text(pace as number | undefined) || draft.pace,
    envSteps: text(training.stop.env_steps),
    evaluateEpisodes: text(training.evaluation.episodes),
    hyperparameters: Object.entries(training.hyperparameters).map(([name, value], index) => ({
      key: index + 1,
      name,
      value: written(value),
    })),
    space: Object.entries(space).map(([name, parameter], index) =>
      parameter.kind === "categorical"
        ? newSearched(index + 1, { name, kind: "categorical", choices: parameter.choices.map(written).join(", ") })
        : newSearched(index + 1, {
            name,
            kind: parameter.kind,
            low: text(parameter.low),
            high: text(parameter.high),
            log: parameter.log,
            step: parameter.kind === "int" && parameter.step === 1 ? "" : text(parameter.step),
          }),
    ),
    sampler: sampler.kind,
    ...(sampler.kind === "tpe" && { startupTrials: text(sampler.startup_trials) }),
    ...(sampler.kind === "grid" && { draws: text(sampler.draws) }),
    ...(sampler.kind === "population" && { members: text(sampler.members), generations: text(sampler.generations) }),
    pruner: pruner?.kind ?? "none",
    ...(pruner && { reports: text(pruner.reports) }),
    seeds: seeds.join(", "),
    trials: text(request.trials),
    budget: text(request.budget_env_steps),
    target: text(request.target_return),
    parallel: text(request.parallel),
    parent: training,
  };
}

/** Trials that the draft allows; null: its budget alone limits them, or a number is missing. */
export function plannedTrials(draft: StudyDraft): number | null {
  const number = (text: string) => (text.trim() === "" ? null : Number(text));
  const trials = number(draft.trials);
  if (draft.sampler === "population") return Number(draft.members) * Number(draft.generations) || null;
  if (draft.sampler !== "grid") return trials || null;
  const sizes = draft.space
    .filter(({ name, kind }) => name.trim() && kind === "categorical")
    .map(({ choices }) => looseList(choices).length);
  const whole = sizes.reduce((product, size) => product * size, 1) * Number(draft.draws);
  return trials ? Math.min(whole, trials) : whole || null;
}

const MOST_SEEDS = 1000;

/** Seeds written as `0, 1, 2` or `0..4`; null where they are not. */
export function seedsOf(text: string): number[] | null {
  const found: number[] = [];
  for (const part of text.split(",").map((word) => word.trim())) {
    const range = /^(\d+)\.\.(\d+)$/.exec(part);
    const [first, last] = range ? [Number(range[1]), Number(range[2])] : [Number(part), Number(part)];
    if (!/^\d+(\.\.\d+)?$/.test(part) || last < first || last - first >= MOST_SEEDS) return null;
    for (let seed = first; seed <= last; seed += 1) found.push(seed);
  }
  return found;
}

/** Make the request. Throws a `Problem` that names the fields if one cannot be sent. */
export function toStudyRequest(draft: StudyDraft): object {
  const errors: FieldError[] = [];
  const number = (field: string, text: string) => parseNumber(field, text, errors);
  const optional = (field: string, text: string) => (text.trim() === "" ? null : number(field, text));
  const population = draft.sampler === "population";
  const seeds = seedsOf(draft.seeds);
  if (seeds === null) errors.push({ field: "seeds", message: "Give whole numbers: 0, 1, 2 or 0..4." });
  const [trials, budget] = [optional("trials", draft.trials), optional("budget_env_steps", draft.budget)];
  if (trials === null && budget === null && (draft.sampler === "tpe" || draft.sampler === "random")) {
    errors.push({ field: "trials", message: "Give a number of trials or a budget: the search would not end." });
  }
  const parent = draft.parent?.env === draft.env.trim() ? draft.parent : undefined;
  const { simulated_iteration_s: _, ...config } = parent?.env_config ?? {};
  const request = {
    name: draft.name.trim() || null,
    training: {
      ...parent,
      env: draft.env.trim(),
      env_config: {
        ...config,
        ...(draft.engine === "simulated" && {
          simulated_iteration_s: number("training.env_config.simulated_iteration_s", draft.pace),
        }),
      },
      engine: draft.engine,
      preset: draft.preset || null,
      hyperparameters: Object.fromEntries(
        draft.hyperparameters.filter(({ name }) => name.trim()).map(({ name, value }) => [name.trim(), loose(value)]),
      ),
      stop: { ...parent?.stop, env_steps: optional("training.stop.env_steps", draft.envSteps) },
      evaluation: { ...parent?.evaluation, episodes: number("training.evaluation.episodes", draft.evaluateEpisodes) },
    },
    space: spaceOf(draft.space, errors),
    sampler: {
      kind: draft.sampler,
      ...(draft.sampler === "tpe" && { startup_trials: number("sampler.startup_trials", draft.startupTrials) }),
      ...(draft.sampler === "grid" && { draws: number("sampler.draws", draft.draws) }),
      ...(population && {
        members: number("sampler.members", draft.members),
        generations: number("sampler.generations", draft.generations),
      }),
    },
    pruner:
      draft.pruner === "none" || population
        ? null
        : { kind: draft.pruner, reports: number("pruner.reports", draft.reports) },
    seeds,
    trials: population ? null : trials,
    budget_env_steps: budget,
    target_return: optional("target_return", draft.target),
    parallel: number("parallel", draft.parallel),
  };
  if (errors.length > 0) throw new Problem("invalid_request", "Not sent yet", errors[0]?.message ?? "", 0, errors);
  return request;
}

function spaceOf(rows: readonly SearchedDraft[], errors: FieldError[]): Record<string, JsonValue> {
  const space: Record<string, JsonValue> = {};
  for (const row of rows) {
    const name = row.name.trim();
    const field = `space.${name}`;
    if (!name) {
      errors.push({ field, message: "Name the hyperparameter, or remove this row." });
      continue;
    }
    if (name in space) errors.push({ field, message: `${name} is searched twice: remove one of the rows.` });
    if (row.kind === "categorical") {
      const choices = looseList(row.choices);
      if (choices.length === 0)
        errors.push({ field: `${field}.choices`, message: "Give values, with commas between." });
      space[name] = { kind: "categorical", choices };
      continue;
    }
    const number = (part: string, text: string) => parseNumber(`${field}.${part}`, text, errors);
    space[name] = {
      kind: row.kind,
      low: number("low", row.low),
      high: number("high", row.high),
      log: row.log,
      ...(row.step.trim() && { step: number("step", row.step) }),
    };
  }
  return space;
}
