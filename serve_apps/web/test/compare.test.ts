import { describe, expect, it } from "vitest";
import { numbered, styleOf } from "../src/compare/colours";
import { csvOf } from "../src/compare/csv";
import { colourOf, Pixels } from "../src/compare/pixels";
import {
  bandColumns,
  bandPath,
  lineColumns,
  linePath,
  nearestIndex,
  place,
  scaleOf,
  smoothed,
  ticks,
  valueAt,
} from "../src/compare/plot";
import { linkOf, requestOf, viewOf } from "../src/compare/query";
import type { ComparedGroup, Comparison } from "../src/types";

const asked = (query: string) => {
  const parsed = new URLSearchParams(query);
  return requestOf(parsed, viewOf(parsed));
};

describe("a link to a comparison", () => {
  it("asks for its trainings by id, or by what the platform filters by", () => {
    expect(asked("id=train_a&id=train_b,train_c")).toBe("v1/compare?run=train_a%2Ctrain_b%2Ctrain_c&x=env_steps");
    expect(asked("label=study=lr&env=CartPole-v1&x=train_wall_s&metric=time/fps")).toBe(
      "v1/compare?label=study%3Dlr&env=CartPole-v1&metric=time%2Ffps&x=train_wall_s",
    );
    expect(asked("smoothing=0.5&unknown=1")).toBeNull();
  });

  it("keeps the view, and nothing that the view does not need", () => {
    const query = new URLSearchParams("id=a&id=b&smoothing=0.6&log=xy&runs=1&evaluations=1&x=train_wall_s&metric=m");
    const again = new URLSearchParams(linkOf(query, viewOf(query)).split("?")[1]);
    expect(viewOf(again)).toEqual(viewOf(query));
    expect(again.getAll("id")).toEqual(["a", "b"]);
    expect(linkOf(new URLSearchParams("id=a"), viewOf(new URLSearchParams("id=a")))).toBe("#/compare?id=a");
  });

  it("is drawn with a smoothing that exists, whatever it says", () => {
    expect(["7", "-1", "x"].map((text) => viewOf(new URLSearchParams({ smoothing: text })).smoothing)).toEqual([
      0.99, 0, 0,
    ]);
  });
});

describe("smoothing", () => {
  it("keeps constants, and weighs the past as TensorBoard does", () => {
    expect(Array.from(smoothed([3, 3, 3], 0.9), (value) => value.toFixed(9))).toEqual(Array(3).fill("3.000000000"));
    expect([...smoothed([1, 2], 0.5)]).toEqual([1, (0.25 + 1) / 0.75]);
    expect(smoothed([1, 2], 0)).toEqual([1, 2]);
  });

  it("passes over what is no number", () => {
    expect([...smoothed([1, Number.NaN, 1], 0.5)]).toEqual([1, Number.NaN, 1]);
  });
});

describe("a scale", () => {
  it("places its ends at its pixels, and finds the value at a pixel", () => {
    for (const log of [false, true]) {
      const scale = scaleOf([[1, 1000]], log, 50, 350);
      expect(place(scale, 1)).toBeCloseTo(50);
      expect(place(scale, 1000)).toBeCloseTo(350);
      expect(valueAt(scale, place(scale, 30) ?? 0)).toBeCloseTo(30);
    }
  });

  it("has no place for what a logarithm has no value of", () => {
    const scale = scaleOf([[-5, 0, 10, 100]], true, 0, 100);
    expect([place(scale, 0), place(scale, -5), place(scale, 10), place(scale, 100)]).toEqual([null, null, 0, 100]);
  });

  it("has a range where there is one value, or none", () => {
    for (const log of [false, true]) {
      for (const values of [[], [5], [-5]]) {
        const { least, greatest } = scaleOf([values], log, 0, 1, 0.05);
        expect(greatest).toBeGreaterThan(least);
      }
    }
  });

  it("has ticks at round values within it, told apart at every magnitude", () => {
    for (const [least, greatest] of [
      [0, 500],
      [-2100, 2000],
      [0, 2e6],
      [0.000_01, 0.000_02],
      [999, 1001],
    ] as const) {
      const found = ticks(scaleOf([[least, greatest]], false, 0, 600), 6);
      expect(found.length).toBeGreaterThan(2);
      expect(new Set(found.map(({ label }) => label)).size).toBe(found.length);
      for (const { at } of found) expect(at >= -0.5 && at <= 600.5).toBe(true);
    }
    const labels = ticks(scaleOf([[0, 500]], false, 0, 600), 5).map(({ label }) => label);
    expect(labels).toEqual(["0", "100", "200", "300", "400", "500"]);
  });

  it("has right ticks at every magnitude, wherever the values lie", () => {
    let state = 1;
    const random = () => {
      state = (state * 16_807) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const wrong: string[] = [];
    for (let turn = 0; turn < 1_500; turn += 1) {
      const spread = (1 + 9 * random()) * 10 ** Math.round(-12 + 26 * random());
      const log = turn % 3 === 2;
      // a linear axis may lie as far from zero as a thousand times its length
      const least = log ? spread : spread * 1_000 * (random() - 0.5);
      const greatest = log ? least * 10 ** (0.1 + 12 * random()) : least + spread;
      const scale = scaleOf([[least, greatest]], log, 0, 600);
      const found = ticks(scale, 7);
      const told = `${least} to ${greatest}${log ? ", logarithmic" : ""}: ${found.map(({ label }) => label)}`;
      const right = found.every(({ at, label }) => Math.abs((place(scale, read(label)) ?? Number.NaN) - at) < 1);
      const apart = new Set(found.map(({ label }) => label)).size === found.length;
      if (!right || !apart || found.length < 2 || found.length > 12) wrong.push(told);
    }
    expect(wrong).toEqual([]);
  });

  it("has ticks at powers of ten where it is logarithmic", () => {
    const labels = (least: number, greatest: number) =>
      ticks(scaleOf([[least, greatest]], true, 0, 600), 6).map(({ label }) => label);
    expect(labels(1, 1e6)).toContain("1000");
    expect(labels(1e-12, 1e12).length).toBeLessThanOrEqual(7);
    expect(labels(10, 50).length).toBeGreaterThan(2);
  });
});

describe("a curve", () => {
  const [x, y] = [scaleOf([[0, 10]], false, 0, 100), scaleOf([[0, 10]], false, 100, 0)];

  it("goes from point to point, and is interrupted where there is no place for a value", () => {
    expect(linePath(x, y, { x: [0, 5, 10], y: [0, 10, 5] })).toBe("M0,100L50,0L100,50");
    const log = scaleOf([[1, 10]], true, 100, 0);
    expect(linePath(x, log, { x: [0, 5, 10], y: [1, 0, 10] })).toBe("M0,100M100,0");
  });

  it("of more points than pixels keeps its peaks and its gaps, in a path that is no longer than the chart", () => {
    const places = Array.from({ length: 50_000 }, (_, index) => index);
    const values = places.map((index) => Math.sin(index / 40));
    values[12_345] = 7;
    values[23_456] = -7;
    const [wide, high] = [scaleOf([places], false, 0, 400), scaleOf([[-7, 7]], false, 140, 0)];
    const path = linePath(wide, high, { x: places, y: values });
    expect(path.match(/[MLV]/g)?.length).toBeLessThanOrEqual(2 * 401);
    expect(path).toMatch(/^M0\.5,/);
    expect(path).toMatch(/[LV](98\.5,)?0(?!\d)/);
    expect(path).toMatch(/[LV](187\.5,)?140/);
    expect(path.match(/M/g)).toHaveLength(1);
    values.fill(Number.NaN, 34_500, 34_750);
    expect(linePath(wide, high, { x: places, y: values }).match(/M/g)).toHaveLength(2);
    const band = bandPath(wide, high, { x: places, y: values, low: values.map((y) => y - 1), high: values });
    expect(band.match(/L/g)?.length).toBeLessThanOrEqual(2 * 401);
  });

  it("has the least and the greatest value of each pixel, and tells a gap from a pixel without points", () => {
    const wide = scaleOf([[0, 4]], false, 10, 14);
    const { least, greatest } = lineColumns(wide, y, {
      x: [0, 0.5, 1, 3, 3.5, 4],
      y: [5, 2, Number.NaN, 1, Number.NaN, 4],
    });
    expect([...least]).toEqual([2, Number.NaN, Number.POSITIVE_INFINITY, 1]);
    expect([...greatest]).toEqual([5, Number.NaN, Number.NEGATIVE_INFINITY, 4]);
    const log = scaleOf([[1, 100]], true, 0, 2);
    expect([...lineColumns(wide, log, { x: [0, 1], y: [-1, 10] }).least.slice(0, 2)]).toEqual([Number.NaN, 10]);
    const band = bandColumns(wide, log, { x: [0], y: [5], low: [-1], high: [10] });
    expect([band.least[0], band.greatest[0]]).toEqual([1, 10]);
  });

  it("has a band from the upper bounds back along the lower ones", () => {
    const curve = { x: [0, 10], y: [5, 5], low: [0, 4], high: [10, 6] };
    expect(bandPath(x, y, curve)).toBe("M0,0L100,40L100,60L0,100Z");
    const log = scaleOf([[1, 10]], true, 100, 0);
    expect(bandPath(x, log, { ...curve, low: [-1, 10], high: [10, 10] })).toBe("M0,0L100,0L100,0L0,100Z");
  });

  it("is read at the nearest of its places", () => {
    expect([-1, 4, 6, 99].map((value) => nearestIndex([0, 5, 10], value))).toEqual([0, 1, 1, 2]);
    expect(nearestIndex([], 1)).toBe(-1);
  });
});

describe("pixels", () => {
  const red = (drawn: Pixels, column: number) =>
    Array.from({ length: drawn.height }, (_, row) => drawn.data[4 * (row * drawn.width + column)]);

  it("are blended as far as a column covers them, and never outside of the picture", () => {
    const drawn = new Pixels(2, 4, colourOf("#000000"));
    drawn.blend(1, 0.5, 2.25, colourOf("#ff0000"), 1);
    expect(red(drawn, 1)).toEqual([128, 255, 64, 0]);
    expect(red(drawn, 0)).toEqual([0, 0, 0, 0]);
    drawn.blend(0, 1.25, 1.75, colourOf("#ff0000"), 1);
    expect(red(drawn, 0)).toEqual([0, 128, 0, 0]);
    const before = [...drawn.data];
    for (const [column, top, bottom] of [
      [-1, 0, 4],
      [2, 0, 4],
      [0, 4, 9],
      [0, -3, 0],
      [0, Number.NaN, 1],
      [0, 3, 2],
    ] as const) {
      drawn.blend(column, top, bottom, colourOf("#ff0000"), 1);
    }
    expect([...drawn.data]).toEqual(before);
  });

  it("let through what lies below by their opacity", () => {
    const drawn = new Pixels(1, 1, colourOf("#3b5bdb"));
    expect([...drawn.data]).toEqual([0x3b, 0x5b, 0xdb, 255]);
    drawn.blend(0, 0, 1, [255, 255, 255], 0.5);
    expect([...drawn.data]).toEqual([157, 173, 237, 255]);
  });
});

const group = (title: string, id: string): ComparedGroup => ({
  title,
  runs: [
    {
      id,
      name: null,
      seed: 1,
      state: "succeeded",
      env_steps: 20,
      train_wall_s: 1,
      x: [10, 20],
      y: [1, 2],
      evaluations: [],
    },
  ],
  band: { x: [10, 20], iqm: [1, 2], low: [0.5, 1.5], high: [1.5, 2.5], runs: [1, 1] },
  final: null,
  best: null,
  evaluation: null,
});

describe("a comparison", () => {
  it("as CSV has the bands, then the runs, and cells that a spreadsheet takes as text", () => {
    const groups = [group('net_arch [64,64], "wide"', "train_a"), group("=SUM(A1)", "train_b")];
    const comparison = { metric: "m", x: "env_steps", metrics: ["m"], groups, settings: [], left_out: 0 } as Comparison;
    const lines = csvOf(comparison).split("\r\n");
    expect(lines).toHaveLength(10);
    expect(lines[0]).toBe("group,run,seed,env_steps,m,low,high,runs");
    expect(lines[1]).toBe('"net_arch [64,64], ""wide""",,,10,1,0.5,1.5,1');
    expect(lines[3]).toBe("'=SUM(A1),,,10,1,0.5,1.5,1");
    expect(lines[6]).toBe('"net_arch [64,64], ""wide""",train_a,1,20,2,,,');
    expect(lines[9]).toBe("");
  });

  it("keeps the style of a group when another metric orders the groups anew", () => {
    const [a, b] = [group("a", "train_a"), group("b", "train_b")];
    expect(numbered([a, b])).toEqual([0, 1]);
    expect(numbered([b, a])).toEqual([1, 0]);
  });

  it("has a style of its own for each of 32 groups", () => {
    const styles = Array.from({ length: 32 }, (_, index) => JSON.stringify(styleOf(index, true)));
    expect(new Set(styles).size).toBe(32);
  });
});

function read(label: string): number {
  const unit = { k: 1e3, M: 1e6, G: 1e9, T: 1e12 }[label.at(-1) ?? ""];
  if (!/^-?\d+(\.\d+)?(e[+-]\d+|[kMGT])?$/.test(label)) return Number.NaN;
  return unit ? Number(label.slice(0, -1)) * unit : Number(label);
}
