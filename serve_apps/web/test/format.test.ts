import { describe, expect, it } from "vitest";
import { tickLabels } from "../src/format";

describe("the labels of an axis", () => {
  it.each([
    [[0, 20_000, 40_000], 20_000, ["0", "20k", "40k"]],
    [[40_000, 42_500], 2_500, ["40.0k", "42.5k"]],
    [[500_000, 1_000_000], 500_000, ["0.5M", "1.0M"]],
    [[0, 500, 1000], 500, ["0", "500", "1000"]],
    [[0, 2000, 4000], 2000, ["0", "2000", "4000"]],
    [[0, 2_000_000_000], 2_000_000_000, ["0", "2G"]],
    [[0.995, 1], 0.005, ["0.995", "1.000"]],
    [[-0.28, -0.2795], 0.0005, ["-0.2800", "-0.2795"]],
    [[0, 0.000_02], 0.000_02, ["0", "2.0e-5"]],
    [[-1.1e-16, 0.5], 0.5, ["0", "0.5"]],
  ])("%j, %d apart", (ticks, step, labels) => {
    expect(tickLabels(ticks, step)).toEqual(labels);
  });

  const steps = [];
  for (let exponent = -9; exponent <= 12; exponent += 1) {
    for (const digit of [1, 2, 2.5, 5]) steps.push(Number(`${digit}e${exponent}`));
  }

  it.each(steps)("say the values and differ, for ticks %d apart", (step) => {
    for (const first of [-7, -2, 0, 3, 40, 997]) {
      for (const many of [2, 5, 8]) {
        // added up, as a chart does it, so with its rounding errors
        const ticks = [first * step];
        while (ticks.length < many) ticks.push((ticks.at(-1) ?? 0) + step);
        const labels = tickLabels(ticks, step);
        expect(new Set(labels).size, `${labels}`).toBe(ticks.length);
        for (const [index, label] of labels.entries()) {
          expect(label).toMatch(/^-?\d+(\.\d+)?(e[+-]\d+|[kMGT])?$/);
          expect(label.length, label).toBeLessThanOrEqual(10);
          expect(Math.abs(read(label) - (ticks[index] ?? Number.NaN)), label).toBeLessThan(step * 1e-3);
        }
      }
    }
  });
});

function read(label: string): number {
  const unit = { k: 1e3, M: 1e6, G: 1e9, T: 1e12 }[label.at(-1) ?? ""];
  return unit ? Number(label.slice(0, -1)) * unit : Number(label);
}
