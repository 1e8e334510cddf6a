/** What a chart of a comparison draws: its groups, smoothed, and the scales that have room for them. */
import { measure } from "../format";
import type { Comparison } from "../types";
import { numberedGroups } from "./colours";
import { type Curve, type Numbers, type Scale, scaleOf, smoothed } from "./plot";
import type { View } from "./query";

export interface Drawn {
  key: string;
  /** Number of its style. */
  index: number;
  title: string;
  band: Curve;
  runs: Curve[];
  evaluations: { x: number; mean: number; std: number }[];
}

export interface Scales {
  x: Scale;
  y: Scale;
}

export const HEIGHT = 400;
export const EDGE = { left: 64, right: 16, top: 14, bottom: 44 };
export const OPACITY = { band: 0.18, run: 0.45, evaluation: 0.6 };

export const AXES = { env_steps: "env steps", train_wall_s: "seconds of training" } as const;
export const titleOf = (title: string): string => title || "all runs";

export function drawn({ groups, metric }: Comparison, view: View): Drawn[] {
  const smooth = (values: Numbers) => smoothed(values, view.smoothing);
  return numberedGroups(groups).map(({ key, number, group: { title, band, runs } }) => ({
    key,
    index: number,
    title,
    band: { x: band.x, y: smooth(band.iqm), low: smooth(band.low), high: smooth(band.high) },
    runs: view.runs ? runs.map((run) => ({ x: run.x, y: smooth(run.y) })) : [],
    evaluations: view.evaluations && isReturn(metric) ? runs.flatMap((run) => run.evaluations) : [],
  }));
}

/** The return of policy evaluations has a place among returns only. */
export const isReturn = (metric: string): boolean => metric.endsWith("/episode_return_mean");

export function scalesOf(groups: Drawn[], { logX, logY }: View, width: number): Scales {
  const points = groups.flatMap(({ evaluations }) => evaluations);
  const across = [...groups.map(({ band }) => band.x), points.map(({ x }) => x)];
  const up = [
    ...groups.flatMap(({ band, runs }) => [band.y, band.low ?? [], band.high ?? [], ...runs.map(({ y }) => y)]),
    ...points.map(({ mean, std }) => [mean - std, mean + std]),
  ];
  return {
    x: scaleOf(across, logX, EDGE.left, width - EDGE.right),
    y: scaleOf(up, logY, HEIGHT - EDGE.bottom, EDGE.top, 0.05),
  };
}

export function described({ title, band }: Drawn): string {
  const last = band.y.at(-1);
  return last === undefined ? `${titleOf(title)}: no values yet.` : `${titleOf(title)}: latest ${measure(last)}.`;
}
