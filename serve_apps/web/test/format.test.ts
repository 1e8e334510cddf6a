import { describe, expect, it } from "vitest";
import { tickLabels } from "../src/format";

describe("the labels of an axis", () => {
  it.each([
    [[0, 20_000, 40_000], 20_000, ["0", "20k", "40k"]],
    [[40_000, 42_500], 2_500, ["40.0k", "42.5k"]],
    [[500_000, 1_000_000], 500_000, ["0.5M", "1.0M"]],
    [[0, 500, 1000], 500, ["0", "500", "1000"]],
    [[0.995, 1], 0.005, ["0.995", "1.000"]],
    [[-0.28, -0.2795], 0.0005, ["-0.2800", "-0.2795"]],
    [[0, 0.000_02], 0.000_02, ["0", "2.0e-5"]],
  ])("%j, %d apart", (ticks, step, labels) => {
    expect(tickLabels(ticks, step)).toEqual(labels);
  });
});
