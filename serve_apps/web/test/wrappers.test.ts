import { describe, expect, it } from "vitest";
import { parseWrappers, wrappersText } from "../src/drafts/wrappers";
import type { FieldError } from "../src/problem";

describe("wrappers of a training", () => {
  it("are read as the command line reads them, and written back", () => {
    const text = "frame_stack:n=4 clip_reward:low=-0.5,high=1 action_mask:source=info";
    const errors: FieldError[] = [];
    const wrappers = parseWrappers(text, errors);
    expect(wrappers).toEqual([
      { name: "frame_stack", n: 4 },
      { name: "clip_reward", low: -0.5, high: 1 },
      { name: "action_mask", source: "info" },
    ]);
    expect(errors).toEqual([]);
    expect(wrappersText(wrappers)).toBe(text);
    expect(parseWrappers(" ", errors)).toEqual([]);
  });

  it("say what is wrong with them", () => {
    for (const [text, said] of [
      ["stack:n=4", "There is no wrapper stack"],
      ["frame_stack:n", "frame_stack:key=value"],
      ["frame_stack:n=", "frame_stack:key=value"],
    ] as const) {
      const errors: FieldError[] = [];
      parseWrappers(text, errors);
      expect(errors[0]?.message).toContain(said);
    }
  });
});
