/** What tells a training from others on the same environment, in a line. */
import { shortId } from "../format";
import type { JsonValue, Training } from "../types";

export function settings({ request }: Training): string {
  const { seed, preset, hyperparameters, resume_from, env_config } = request;
  const { simulated_iteration_s: _, ...config } = env_config;
  const named = (values: Record<string, JsonValue>) =>
    Object.entries(values).map(([name, value]) => `${name} ${text(value)}`);
  return [
    `seed ${seed}`,
    ...(preset ? [`preset ${preset}`] : []),
    ...named(hyperparameters),
    ...named(config),
    ...(resume_from ? [`from ${shortId(resume_from)}`] : []),
  ].join(" · ");
}

const text = (value: JsonValue): string => (typeof value === "string" ? value : JSON.stringify(value));
