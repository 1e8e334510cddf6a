/** Wrappers as the form has them: `frame_stack:n=4 clip_reward:low=-1,high=1`, as the command line does. */
import type { FieldError } from "../problem";
import type { TrainingRequest } from "../types";

export type Wrapper = NonNullable<TrainingRequest["wrappers"]>[number];

export const WRAPPERS = ["frame_stack", "time_aware", "flatten", "clip_reward", "scale_reward", "action_mask"] as const;

/** Read wrappers. What cannot be read is added to `errors`; the platform checks the settings. */
export function parseWrappers(text: string, errors: FieldError[]): Wrapper[] {
  return text
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => {
      const [name = "", rest = ""] = word.split(/:(.*)/s);
      if (!WRAPPERS.some((known) => known === name)) {
        errors.push({ field: "wrappers", message: `There is no wrapper ${name}: choose of ${WRAPPERS.join(", ")}.` });
      }
      const settings = rest
        .split(",")
        .filter(Boolean)
        .map((setting) => setting.split("="));
      if (settings.some(([key, value]) => !key || !value)) {
        errors.push({ field: "wrappers", message: `Give settings as ${name}:key=value,key=value.` });
      }
      return { name, ...Object.fromEntries(settings.map(([key, value = ""]) => [key, setting(value)])) } as Wrapper;
    });
}

const setting = (text: string): number | string => (Number.isNaN(Number(text)) ? text : Number(text));

/** Wrappers as text, which `parseWrappers` reads. */
export const wrappersText = (wrappers: readonly Wrapper[] | undefined): string =>
  (wrappers ?? [])
    .map(({ name, ...settings }) => {
      const pairs = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
      return pairs.length > 0 ? `${name}:${pairs.join(",")}` : name;
    })
    .join(" ");
