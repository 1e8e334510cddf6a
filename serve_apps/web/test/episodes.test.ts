import { describe, expect, it } from "vitest";
import { actionRows, discrete, extent, favourite, moments, nearest, returns, rolesOf } from "../src/runs/episodes";
import type { Episode, EpisodeInfo } from "../src/types";

const info = (id: string, iteration: number, roles: EpisodeInfo["roles"]): EpisodeInfo =>
  ({ id, iteration, env_steps: 100 * iteration, roles, episode_return: 1 }) as EpisodeInfo;

describe("recorded episodes", () => {
  const found = moments([info("c", 20, ["first"]), info("a", 10, ["first", "best"]), info("b", 10, ["last"])]);

  it("are grouped by the iteration of their evaluation, in order", () => {
    expect(found.map((moment) => [moment.iteration, moment.episodes.map((one) => one.id)])).toEqual([
      [10, ["a", "b"]],
      [20, ["c"]],
    ]);
  });

  it("are found by the nearest env steps", () => {
    expect([0, 1400, 1600, 9999].map((steps) => nearest(found, steps))).toEqual([0, 0, 1, 1]);
    expect(nearest([], 5)).toBe(-1);
  });

  it("show the best one first, or the last where none is marked so", () => {
    expect(found.map((moment) => favourite(moment)?.id)).toEqual(["a", "c"]);
    expect(rolesOf(info("a", 1, ["first", "best"]))).toBe("First, best");
  });

  it("have actions of any shape, component by component", () => {
    const rows = actionRows({
      actions: [
        [1.5, [2]],
        [3, [4]],
      ] as unknown[],
    } as Episode);
    expect(rows).toEqual([
      [1.5, 3],
      [2, 4],
    ]);
    expect([discrete(rows), discrete([[0, 1, 1]])]).toEqual([false, true]);
    expect(returns([1, 2, -1])).toEqual([1, 3, 2]);
  });
});

it("have a range, however long they are", () => {
  const rewards = Array.from({ length: 300_000 }, (_, step) => (step % 7) - 3);
  expect(extent(rewards)).toEqual([-3, 3]);
  expect(extent([Number.NaN, 2, Number.POSITIVE_INFINITY])).toEqual([0, 2]);
  expect(extent([4, 5], 0)).toEqual([0, 5]);
});
