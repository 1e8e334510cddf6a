/** The line of a submission that a traceback or a syntax error is about. */
import type { Evaluation } from "../types";

export interface Mark {
  /** From 1 on. */
  line: number;
  message: string;
}

const MAIN = "main.py";
const FRAME = /^\s*File "(?:[^"\n]*\/)?([^"/\n]+)", line (\d+)/gm;
const SYNTAX = /^(\S+), line (\d+): (.*)/;
const ERROR = /^([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning|Iteration)\b.*)$/gm;

/** The mark of a traceback: the innermost frame of the program's `file`, and the error's last line. */
export function markOf(text: string, file: string = MAIN): Mark | null {
  const frame = [...text.matchAll(FRAME)].findLast(([, name]) => name === file);
  if (!frame) return null;
  const error = [...text.matchAll(ERROR)].at(-1)?.[1] ?? "";
  return { line: Number(frame[2]), message: error.trim() };
}

/** One mark for each line that the tests of an evaluation failed at; each line is marked once. */
export function marksOf(document: Evaluation): Mark[] {
  const marks = new Map<number, Mark>();
  const add = (mark: Mark | null) => {
    if (mark && !marks.has(mark.line)) marks.set(mark.line, mark);
  };
  for (const test of document.tests) {
    if (test.verdict === "accepted" || test.verdict === "skipped") continue;
    if (test.verdict === "compile_error") add(syntaxMark(test.message ?? document.message ?? ""));
    else add(markOf(test.stderr ?? ""));
  }
  if (document.verdict === "compile_error") add(syntaxMark(document.message ?? ""));
  return [...marks.values()];
}

/** The mark of a message about a `file` that is no Python. */
export function syntaxMark(text: string, file: string = MAIN): Mark | null {
  const match = SYNTAX.exec(text);
  return match && match[1] === file ? { line: Number(match[2]), message: match[3] ?? "" } : null;
}
