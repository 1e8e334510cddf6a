/** Looking for an environment in the list of those known. */
import type { EnvironmentInfo } from "../types";

/**
 * The environments that have every word of `text` in their id or name: a user's own first, then those with a tuned preset,
 * then the others; of equals those whose id begins with the text.
 */
export function matching(environments: readonly EnvironmentInfo[], text: string): EnvironmentInfo[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const begins = ({ id }: EnvironmentInfo) => (words[0] && id.toLowerCase().startsWith(words[0]) ? 0 : 1);
  return environments
    .filter(({ id, name }) => {
      const known = `${id} ${name ?? ""}`.toLowerCase();
      return words.every((word) => known.includes(word));
    })
    .sort((a, b) => place(a) - place(b) || begins(a) - begins(b) || a.id.localeCompare(b.id));
}

const place = ({ backend, preset }: EnvironmentInfo): number => (backend === "sandbox" ? 0 : preset ? 1 : 2);

/** Steps that an environment is trained for unless somebody says otherwise: those of its preset, where it has one. */
export const usualSteps = (environment: EnvironmentInfo | undefined): string =>
  String(environment?.preset_env_steps ?? 100_000);
