/** What the tests of an evaluation print while they run; of a test that is judged, its result tells. */
import type { RunEvent } from "../events";

export interface Printed {
  text: string;
  /** Characters printed, left out ones included: code points, as the events count them. */
  length: number;
  /** The platform sends no more of this test's. */
  truncated: boolean;
}

/** By test. The platform bounds what it sends of a test and of an evaluation. */
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
