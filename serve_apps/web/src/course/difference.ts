/** What changed between two submissions, file by file, as lines to show. */
import { structuredPatch } from "diff";
import type { SourceFile } from "../types";

export interface Line {
  kind: "same" | "added" | "removed";
  text: string;
  /** Numbers of the line in the older and the newer file; null where it is not in it. */
  before: number | null;
  after: number | null;
}

export interface FileDifference {
  path: string;
  change: "added" | "removed" | "changed" | "same";
  /** Groups of changed lines with those around them; empty for a file that is no text. */
  hunks: Line[][];
  /** Said of a file that is not compared line by line. */
  note: string | null;
}

const CONTEXT = 3;

export function compareFiles(before: readonly SourceFile[], after: readonly SourceFile[]): FileDifference[] {
  const older = new Map(before.map((file) => [file.path, file.content]));
  const newer = new Map(after.map((file) => [file.path, file.content]));
  const paths = [...new Set([...older.keys(), ...newer.keys()])];
  return paths.map((path) => compareFile(path, older.get(path), newer.get(path)));
}

type Content = SourceFile["content"] | undefined;

function compareFile(path: string, before: Content, after: Content): FileDifference {
  const change =
    before === undefined ? "added" : after === undefined ? "removed" : same(before, after) ? "same" : "changed";
  if (change === "same") return { path, change, hunks: [], note: null };
  if (typeof before === "object" || typeof after === "object") {
    return { path, change, hunks: [], note: "An uploaded file; it is not compared line by line." };
  }
  return { path, change, hunks: hunksOf(before ?? "", after ?? ""), note: null };
}

const same = (one: Content, other: Content): boolean => JSON.stringify(one) === JSON.stringify(other);

function hunksOf(before: string, after: string): Line[][] {
  const { hunks } = structuredPatch("a", "b", before, after, "", "", { context: CONTEXT });
  return hunks.map(({ oldStart, newStart, lines }) => {
    let [old, fresh] = [oldStart, newStart];
    return lines
      .filter((line) => !line.startsWith("\\"))
      .map((line): Line => {
        const text = line.slice(1);
        if (line.startsWith("+")) return { kind: "added", text, before: null, after: fresh++ };
        if (line.startsWith("-")) return { kind: "removed", text, before: old++, after: null };
        return { kind: "same", text, before: old++, after: fresh++ };
      });
  });
}
