/** Geometry of parallel coordinates: an axis for each searched hyperparameter and one for the return, a line a trial. */
import { place, type Scale, scaleOf, type Tick, ticks } from "../compare/plot";
import type { JsonValue, Study, Trial } from "../types";
import { plain } from "./trials";

export interface Axis {
  name: string;
  /** Where the axis stands, in pixels. */
  x: number;
  ticks: Tick[];
  /** Height of a trial on the axis, in pixels; null where it has no value. */
  y(trial: Trial): number | null;
}

export interface Frame {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Ends of every axis, in pixels. */
export const HEIGHTS = { top: 44, bottom: 316 };

export const RETURN = "return";
const TICKS = 5;
const MOST_CHOICES = 12;

/** A trial's result so far: its value, else its newest report. */
export const resultOf = (trial: Trial): number | null => trial.value ?? trial.reports.at(-1)?.value ?? null;

/** The axes of `study`, the return as the last. */
export function axesOf({ request: { space }, trials }: Study, { left, right, top, bottom }: Frame): Axis[] {
  const names = Object.keys(space);
  const across = (index: number) => (names.length === 0 ? right : left + ((right - left) * index) / names.length);
  const axes = names.map((name, index): Axis => {
    const parameter = space[name];
    const of = (trial: Trial) => trial.hyperparameters[name];
    if (!parameter || parameter.kind === "categorical") {
      const choices = parameter?.choices ?? [];
      const keys = choices.map(key);
      const at = (index: number) => bottom - ((index + 0.5) / Math.max(1, keys.length)) * (bottom - top);
      const stride = Math.ceil(keys.length / MOST_CHOICES);
      return {
        name,
        x: across(index),
        ticks: choices.flatMap((choice, index) =>
          index % stride === 0 ? [{ at: at(index), label: plain(choice) }] : [],
        ),
        y: (trial) => {
          const found = keys.indexOf(key(of(trial)));
          return found < 0 ? null : at(found);
        },
      };
    }
    const scale: Scale = { least: parameter.low, greatest: parameter.high, log: parameter.log, from: bottom, to: top };
    return { name, x: across(index), ...numeric(scale, (trial) => Number(of(trial))) };
  });
  const results = trials.map(resultOf).filter((value): value is number => value !== null);
  const scale = scaleOf([results], false, bottom, top, 0.04);
  return [...axes, { name: RETURN, x: right, ...numeric(scale, (trial) => resultOf(trial) ?? Number.NaN) }];
}

/** Trials can lie beyond the range of the request: population-based training multiplies values. */
function numeric(scale: Scale, of: (trial: Trial) => number): Pick<Axis, "ticks" | "y"> {
  const [top, bottom] = [Math.min(scale.from, scale.to), Math.max(scale.from, scale.to)];
  return {
    ticks: ticks(scale, TICKS),
    y: (trial) => {
      const at = place(scale, of(trial));
      return at === null ? null : Math.min(bottom, Math.max(top, at));
    },
  };
}

const key = (value: JsonValue | undefined): string => JSON.stringify(value ?? null);

/** The line of `trial` through `axes`; it ends before an axis on which the trial has no value. */
export function lineOf(trial: Trial, axes: readonly Axis[]): string {
  let path = "";
  for (const axis of axes) {
    const y = axis.y(trial);
    if (y === null) break;
    path += `${path ? "L" : "M"}${axis.x.toFixed(1)},${y.toFixed(1)}`;
  }
  return path;
}

/** Heights that are chosen on an axis, in pixels: least first. */
export type Brushes = Readonly<Record<string, readonly [number, number]>>;

/** True if `trial` lies within every brush. */
export const isBrushed = (trial: Trial, axes: readonly Axis[], brushes: Brushes): boolean =>
  axes.every((axis) => {
    const brush = brushes[axis.name];
    if (!brush) return true;
    const y = axis.y(trial);
    return y !== null && y >= brush[0] - 0.5 && y <= brush[1] + 0.5;
  });

const LIGHT = ["#8fa3e6", "#4c6ef5", "#7048e8", "#ae3ec9", "#e8590c"];
const DARK = ["#4a5578", "#748ffc", "#b197fc", "#e599f7", "#ffa94d"];

/** Colour of a result among others: from pale to strong. `part`: 0 for the least, 1 for the greatest. */
export function shade(part: number, dark: boolean): string {
  const ramp = dark ? DARK : LIGHT;
  const at = Math.min(1, Math.max(0, part)) * (ramp.length - 1);
  const index = Math.min(ramp.length - 2, Math.floor(at));
  const [from, to] = [channels(ramp[index] ?? ""), channels(ramp[index + 1] ?? "")];
  return `rgb(${from.map((value, channel) => Math.round(value + (at - index) * ((to[channel] ?? 0) - value))).join(" ")})`;
}

const channels = (hex: string): number[] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
