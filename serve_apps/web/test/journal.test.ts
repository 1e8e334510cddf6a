import { describe, expect, it } from "vitest";
import type { RunEvent } from "../src/events";
import { extend } from "../src/runs/journal";

const iteration = (seq: number, number: number) =>
  ({ type: "training.iteration_completed", seq, time: "", iteration: number, env_steps: 1000 * number }) as RunEvent;
const other = (seq: number, type: string) => ({ type, seq, time: "" }) as RunEvent;

describe("the journal", () => {
  it("draws iterations together that follow each other, across batches", () => {
    let entries = extend([], [other(1, "training.queued"), iteration(2, 1), iteration(3, 2)]);
    entries = extend(entries, [iteration(4, 3), other(5, "training.stop_requested"), iteration(6, 4)]);
    expect(entries.map(({ seq, text }) => [seq, text])).toEqual([
      [1, "Queued"],
      [4, "Iterations 1–3, 3,000 env steps"],
      [5, "Stop requested"],
      [6, "Iteration 4, 4,000 env steps"],
    ]);
  });

  it("draws the output of a test together", () => {
    const piece = (seq: number, test: string, offset: number) =>
      ({ type: "evaluation.output", seq, time: "", test, offset, text: "1234\n" }) as RunEvent;
    const entries = extend(
      [],
      [other(1, "evaluation.started"), piece(2, "t1", 0), piece(3, "t1", 5), piece(4, "t2", 0)],
    );
    expect(entries.map(({ first, seq, text }) => [first, seq, text])).toEqual([
      [1, 1, expect.any(String)],
      [2, 3, "Test t1 has printed 10 characters"],
      [4, 4, "Test t2 has printed 5 characters"],
    ]);
  });

  it("names an event of a type that it does not know", () => {
    expect(extend([], [other(1, "training.painted")])[0]?.text).toBe("training.painted");
  });
});
