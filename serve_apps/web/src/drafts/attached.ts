/** Files that are dropped on a submission: text becomes part of the program, all else is uploaded. */
import type { FileInfo } from "../types";
import type { SubmissionDraft } from "./submission";

export const MAIN = "main.py";
/** Characters of a file that a request takes as text. */
const MAX_TEXT = 262_144;
const ARCHIVE = "application/zip";

export type Upload = (file: File) => Promise<FileInfo>;

/** Files of a program that is being written. */
export type Attached = Pick<SubmissionDraft, "source" | "files" | "data" | "archive">;

/** Return the changes that `dropped` makes, and nothing that stays. Another file of the same name is replaced. */
export async function attach(draft: Attached, dropped: readonly File[], upload: Upload): Promise<Partial<Attached>> {
  const changed: Attached = { ...draft };
  for (const file of dropped) {
    const text = await textOf(file);
    if (file.name === MAIN && text !== null) {
      changed.source = text;
      changed.archive = null;
    } else if (text !== null) {
      Object.assign(changed, without(changed, file.name));
      changed.files = [...changed.files, { path: file.name, content: text }];
    } else {
      const info = await upload(file);
      if (info.media_type === ARCHIVE) {
        changed.archive = { name: file.name, file: info.id };
      } else {
        Object.assign(changed, without(changed, file.name));
        changed.data = [...changed.data, { path: file.name, file: info.id }];
      }
    }
  }
  const names = Object.keys(changed) as (keyof Attached)[];
  return Object.fromEntries(names.filter((name) => changed[name] !== draft[name]).map((name) => [name, changed[name]]));
}

/** The text at `path`; null for an uploaded file. */
export function contentAt(draft: Attached, path: string): string | null {
  if (path === MAIN) return draft.archive ? null : draft.source;
  const content = draft.files.find((file) => file.path === path)?.content;
  return typeof content === "string" ? content : null;
}

/** Return the changes that put `content` at `path`. */
export function withContent(draft: Attached, path: string, content: string): Partial<Attached> {
  if (path === MAIN) return { source: content };
  return { files: draft.files.map((file) => (file.path === path ? { path, content } : file)) };
}

/** Return the changes that remove the file `path`. */
export const without = (draft: Attached, path: string): Pick<Attached, "files" | "data"> => ({
  files: others(draft.files, path),
  data: others(draft.data, path),
});

const others = <T extends { path: string }>(all: T[], path: string): T[] =>
  all.some((one) => one.path === path) ? all.filter((one) => one.path !== path) : all;

/** The content of a small text file; null for anything else. */
async function textOf(file: File): Promise<string | null> {
  if (file.size > 4 * MAX_TEXT) return null;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    return text.includes("\0") || text.length > MAX_TEXT ? null : text;
  } catch {
    return null;
  }
}
