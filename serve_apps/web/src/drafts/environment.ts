/** An environment being uploaded: its files, the class in them, and the request that they make. */
import type { EnvironmentUpload, UserEnvironment } from "../types";

export interface EnvironmentFileDraft {
  path: string;
  content: string;
}

/** Size of all files together, in characters, at most. */
export const MAX_SIZE = 1 << 20;
const CLASS = /^class\s+([A-Za-z_]\w*)\s*\(([^)]*)\)/gm;

/** Read dropped files. Throws an `Error` that names a file which is no text. */
export async function read(dropped: readonly File[]): Promise<EnvironmentFileDraft[]> {
  return Promise.all(
    dropped.map(async (file) => {
      try {
        if (file.size > MAX_SIZE) throw new Error();
        const content = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
        return { path: file.name, content };
      } catch {
        throw new Error(`${file.name} is not UTF-8 text of at most 1 MiB. Larger data belongs into an image.`);
      }
    }),
  );
}

/** The entries that the files offer: each class that has a base called Env first, as `grid:GridWorld`. */
export function entriesOf(files: readonly EnvironmentFileDraft[]): string[] {
  const found = files
    .filter(({ path }) => path.endsWith(".py"))
    .flatMap(({ path, content }) => {
      const module = path.slice(0, -3).replaceAll("/", ".");
      return [...content.matchAll(CLASS)].map(([, name, bases]) => ({
        entry: `${module}:${name}`,
        env: /\bEnv\b/.test(bases ?? ""),
      }));
    });
  return [...found.filter(({ env }) => env), ...found.filter(({ env }) => !env)].map(({ entry }) => entry);
}

export const toUpload = (files: readonly EnvironmentFileDraft[], entry: string): Partial<EnvironmentUpload> => ({
  entry: entry.trim(),
  files: files.map(({ path, content }) => ({ path, content })),
});

/** What a screen reader hears, and the end of the report. */
export function told({ state, name, message }: UserEnvironment): string {
  if (state === "checking") return `Checking ${name} in a sandbox…`;
  if (state === "ready") return `${name} keeps the contract: it is chosen for this training.`;
  if (state === "refused") return `${name} breaks the contract: correct what the report says, and upload it again.`;
  return message ?? `${name} could not be checked: upload it again.`;
}
