/** Name, labels and notes of a run, being edited. */
import type { RunPatch } from "../types";

export interface AnnotationsDraft {
  name: string;
  /** A label a line: `key=value`. */
  labels: string;
  notes: string;
}

interface Annotated {
  name: string | null;
  labels: Record<string, string>;
  notes: string | null;
}

export const draftOf = ({ name, labels, notes }: Annotated): AnnotationsDraft => ({
  name: name ?? "",
  labels: Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join("\n"),
  notes: notes ?? "",
});

/** What saving `draft` changes of the run: labels that are gone from it are removed. */
export function patchOf(draft: AnnotationsDraft, run: Annotated): RunPatch {
  const patch: RunPatch = {};
  const name = draft.name.trim() || null;
  if (name !== run.name) patch.name = name;
  const notes = draft.notes.trim() ? draft.notes : null;
  if (notes !== run.notes) patch.notes = notes;
  const wanted = labelsOf(draft.labels);
  const labels: Record<string, string | null> = {};
  for (const [key, value] of wanted) if (run.labels[key] !== value) labels[key] = value;
  for (const key of Object.keys(run.labels)) if (!wanted.has(key)) labels[key] = null;
  if (Object.keys(labels).length > 0) patch.labels = labels;
  return patch;
}

function labelsOf(text: string): Map<string, string> {
  const lines = text.split("\n").filter((line) => line.trim());
  return new Map(
    lines.map((line) => {
      const [key = "", ...value] = line.split("=");
      return [key.trim(), value.join("=").trim()];
    }),
  );
}
