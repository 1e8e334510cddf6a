/** Trials of a study: their order in a table, their settings in words, the best one as a configuration to copy. */
import type { JsonValue, Study, Trial } from "../types";

/** `trials` as a table shows them: completed ones by rank and value, then the others by value, then by number. */
export function inOrder(trials: readonly Trial[]): Trial[] {
  const last = Number.POSITIVE_INFINITY;
  const value = (trial: Trial) => trial.value ?? trial.reports.at(-1)?.value ?? Number.NEGATIVE_INFINITY;
  return [...trials].sort(
    (a, b) => difference(a.rank ?? last, b.rank ?? last) || difference(value(b), value(a)) || a.number - b.number,
  );
}

/** Infinities are equal to themselves here, as they are not when subtracted. */
const difference = (a: number, b: number): number => (a === b ? 0 : a - b);

/** `learning_rate 0.0013 · gamma 0.99`, numbers to four digits. */
export function settingsOf(hyperparameters: Record<string, JsonValue>): string {
  const entries = Object.entries(hyperparameters);
  if (entries.length === 0) return "as the preset says";
  return entries.map(([name, value]) => `${name} ${plain(value)}`).join(" · ");
}

/** A value of a hyperparameter for people. */
export function plain(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "–";
  if (typeof value === "number") return String(Number(value.toPrecision(4)));
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Hyperparameters of a trial: those that the study fixes, with the searched ones over them; dots reach inside. */
export function configuration({ request }: Study, trial: Trial): Record<string, JsonValue> {
  const merged = structuredClone(request.training.hyperparameters) as Record<string, JsonValue>;
  for (const [name, value] of Object.entries(trial.hyperparameters)) {
    const path = name.split(".");
    const last = path.pop() ?? name;
    let inside = merged;
    for (const part of path) {
      const known = inside[part];
      const next = isObject(known) ? known : {};
      inside[part] = next;
      inside = next;
    }
    inside[last] = value;
  }
  return merged;
}

const isObject = (value: JsonValue | undefined): value is Record<string, JsonValue> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The command that trains with the configuration of `trial` once more. */
export function command(study: Study, trial: Trial): string {
  const { env, env_backend, engine, preset, stop, env_config, max_episode_steps, seed } = study.request.training;
  const options = [`rlp train --env ${quoted(env)}`];
  if (engine !== "rllib") options.push(`--engine ${engine}`);
  if (env_backend !== "auto") options.push(`--env-backend ${env_backend}`);
  if (max_episode_steps != null) options.push(`--max-episode-steps ${max_episode_steps}`);
  if (preset) options.push(`--preset ${quoted(preset)}`);
  for (const [name, value] of Object.entries(env_config))
    options.push(`--env-kwargs ${quoted(`${name}:${text(value)}`)}`);
  for (const [name, value] of Object.entries(configuration(study, trial))) {
    options.push(`-H ${quoted(`${name}:${text(value)}`)}`);
  }
  for (const [name, value] of Object.entries(stop)) {
    if (value != null) options.push(`--${name.replaceAll("_", "-")} ${value}`);
  }
  options.push(`--seed ${study.request.seeds[0] ?? seed}`);
  return options.join(" ");
}

const text = (value: JsonValue): string => (typeof value === "string" ? value : JSON.stringify(value));
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** Most trials that a study has; null: its budget alone limits them. */
export function trialsOf({ request: { sampler, space, trials } }: Study): number | null {
  if (sampler.kind === "population") return sampler.members * sampler.generations;
  if (sampler.kind !== "grid") return trials;
  const sizes = Object.values(space).map((parameter) =>
    parameter.kind === "categorical" ? parameter.choices.length : 1,
  );
  const whole = sizes.reduce((product, size) => product * size, sampler.draws);
  return trials === null ? whole : Math.min(whole, trials);
}
