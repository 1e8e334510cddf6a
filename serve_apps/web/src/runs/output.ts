/** Output of the tests of an evaluation while they run. The output of a finished test is in its result. */
import type { RunEvent } from "../events";

export interface Printed {
  text: string;
  /** Characters printed, left out ones included: code points, as the events count them. */
  length: number;
  /** True if the platform sends no more output of this test. */
  truncated: boolean;
}

/** Output by test. The platform limits it for each test and for each evaluation. */
export type Output = ReadonlyMap<string, Printed>;

export const NOTHING: Output = new Map();

export function foldOutput(output: Output, event: RunEvent): Output {
  switch (event.type) {
    case "evaluation.output": {
      const { test, offset, text, truncated = false } = event;
      const before = (offset > 0 && output.get(test)) || { text: "", length: 0 };
      const gap = offset > before.length ? "…" : "";
      const length = offset + [...text].length;
      return new Map(output).set(test, { text: before.text + gap + text, length, truncated });
    }
    case "evaluation.started":
    case "evaluation.retried":
      return NOTHING;
    default:
      return output;
  }
}
