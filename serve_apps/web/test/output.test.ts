import { describe, expect, it } from "vitest";
import type { RunEvent } from "../src/events";
import { foldOutput, NOTHING } from "../src/runs/output";
import streams from "./fixtures/streams.json";

const outputs = (events: RunEvent[]) => events.reduce(foldOutput, NOTHING).get("t1");
const started = { type: "evaluation.started" } as RunEvent;
const piece = (offset: number, text: string) =>
  ({ type: "evaluation.output", test: "t1", offset, text, truncated: false }) as RunEvent;

describe("what a test prints while it runs", () => {
  it("is joined, counted in characters, and says where it was cut", () => {
    const recorded = streams.evaluations.finished.events as unknown as RunEvent[];
    expect(outputs(recorded)).toEqual({ text: "4 🎉\n", length: 4, truncated: true });
  });

  it("is forgotten when the evaluation is tried again", () => {
    expect(outputs(streams.evaluations.retried.events as unknown as RunEvent[])).toBeUndefined();
  });

  it("shows where pieces were left out, and begins anew with a test that is run again", () => {
    expect(outputs([started, piece(0, "ab"), piece(9, "c")])).toMatchObject({ text: "ab…c", length: 10 });
    expect(outputs([started, piece(0, "ab"), piece(0, "x"), piece(1, "y")])).toMatchObject({ text: "xy", length: 2 });
  });
});
