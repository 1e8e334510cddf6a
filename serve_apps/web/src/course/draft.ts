/** A submission to an assignment, being written: it begins with the starter files. */
import { MAIN } from "../drafts/attached";
import type { AssignmentView, SourceFile, SubmissionDetail, SubmissionRequest } from "../types";

/** Fields that the tabs of the editor show; see `drafts/attached.ts`. */
export interface AssignmentDraft {
  source: string;
  files: SourceFile[];
  data: { path: string; file: string }[];
  archive: { name: string; file: string } | null;
}

export const draftName = (assignment: string): string => `assignment-${assignment}`;

/** The draft that `files` make: text goes into the editor, uploaded files stay what they are. */
export function draftOf(files: readonly SourceFile[]): AssignmentDraft {
  const draft: AssignmentDraft = { source: "", files: [], data: [], archive: null };
  for (const { path, content } of files) {
    if (typeof content !== "string") draft.data.push({ path, file: content.file });
    else if (path === MAIN) draft.source = content;
    else draft.files.push({ path, content });
  }
  return draft;
}

/** The draft that a submission was made of. */
export function copyOf({ content, files }: SubmissionDetail): AssignmentDraft {
  const only = content[0];
  const isArchive = content.length === 1 && files.length <= 1 && only?.path.endsWith(".zip");
  if (isArchive && typeof only?.content === "object") {
    return { source: "", files: [], data: [], archive: { name: only.path, file: only.content.file } };
  }
  return draftOf(content);
}

export const starterOf = ({ starter }: AssignmentView): AssignmentDraft => draftOf(starter);

/** True if the files of both are the same. */
export const equal = (one: AssignmentDraft, other: AssignmentDraft): boolean =>
  JSON.stringify(filesOf(one)) === JSON.stringify(filesOf(other)) && one.archive?.file === other.archive?.file;

/**
 * The request. The version is the one that was read: the platform refuses it if there is a newer one. An empty main.py is
 * left out where the assignment does not ask for it, as one for notebooks.
 */
export function toRequest(
  draft: AssignmentDraft,
  { version, required_files }: Pick<AssignmentView, "version" | "required_files">,
): SubmissionRequest {
  if (draft.archive) return { archive: { file: draft.archive.file }, version };
  const unused = draft.source.trim() === "" && !required_files.includes(MAIN);
  return { files: filesOf(draft).filter(({ path }) => !(unused && path === MAIN)), version };
}

function filesOf({ source, files, data }: AssignmentDraft): SourceFile[] {
  return [{ path: MAIN, content: source }, ...files, ...data.map(({ path, file }) => ({ path, content: { file } }))];
}

/** Required files that the draft does not have. An archive is looked into by the platform. */
export function missing(draft: AssignmentDraft, required: readonly string[]): string[] {
  if (draft.archive) return [];
  const paths = new Set(filesOf(draft).map(({ path }) => path));
  return required.filter((path) => !paths.has(path));
}
