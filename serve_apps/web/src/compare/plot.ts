/** Geometry of a chart of curves with bands: scales, ticks and paths. */
import { tickLabels } from "../format";

export interface Curve {
  x: readonly number[];
  y: readonly number[];
  /** Bounds of the band around the curve, of the same length. */
  low?: readonly number[];
  high?: readonly number[];
}

export interface Scale {
  least: number;
  greatest: number;
  log: boolean;
  /** Pixels of the least and the greatest value. */
  from: number;
  to: number;
}

export interface Tick {
  at: number;
  label: string;
}

/** Where `value` is, in pixels; null where a logarithmic scale has no place for it. */
export function place({ least, greatest, log, from, to }: Scale, value: number): number | null {
  if (!Number.isFinite(value) || (log && value <= 0)) return null;
  const map = log ? Math.log10 : (one: number) => one;
  return from + ((map(value) - map(least)) / (map(greatest) - map(least))) * (to - from);
}

/** Value at a pixel: the inverse of `place`. */
export function valueAt({ least, greatest, log, from, to }: Scale, pixel: number): number {
  const part = (pixel - from) / (to - from);
  if (!log) return least + part * (greatest - least);
  return 10 ** (Math.log10(least) + part * (Math.log10(greatest) - Math.log10(least)));
}

/** A scale that has room for all values of `columns` that it can show. `margin`: part of the range left free at both ends. */
export function scaleOf(
  columns: readonly (readonly number[])[],
  log: boolean,
  from: number,
  to: number,
  margin = 0,
): Scale {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const column of columns) {
    for (let index = 0; index < column.length; index += 1) {
      const value = column[index] as number;
      if (!Number.isFinite(value) || (log && value <= 0)) continue;
      if (value < least) least = value;
      if (value > greatest) greatest = value;
    }
  }
  if (least > greatest) [least, greatest] = log ? [1, 10] : [0, 1];
  if (log) {
    if (least === greatest) [least, greatest] = [least / 2, greatest * 2];
    const room = (greatest / least) ** margin;
    return { least: least / room, greatest: greatest * room, log, from, to };
  }
  if (least === greatest) {
    const room = Math.abs(least) * 0.05 || 1;
    [least, greatest] = [least - room, greatest + room];
  }
  const room = (greatest - least) * margin;
  return { least: least - room, greatest: greatest + room, log, from, to };
}

const STEPS = [1, 2, 2.5, 5, 10];

/** About `most` ticks at round values, with labels that tell them apart. */
export function ticks(scale: Scale, most: number): Tick[] {
  const { least, greatest, log } = scale;
  const decades = log ? Math.log10(greatest) - Math.log10(least) : 0;
  if (decades >= 1) {
    const stride = Math.max(1, Math.ceil(decades / most));
    const within: readonly number[] = decades < most / 3 ? [1, 2, 5] : [1];
    const values: number[] = [];
    for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(greatest)); power += 1) {
      if (power % stride === 0) values.push(...within.map((factor) => Number(`${factor}e${power}`)));
    }
    return placed(scale, values, (value) => tickLabels([value], value)[0] ?? "");
  }
  const rough = (greatest - least) / most;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * (STEPS.find((one) => one * unit >= rough * (1 - 1e-9)) ?? 10);
  const values: number[] = [];
  for (let index = Math.ceil(least / step - 1e-9); index * step <= greatest + step * 1e-9; index += 1) {
    values.push(index * step);
  }
  const labels = tickLabels(values, step);
  return placed(scale, values, (_, index) => labels[index] ?? "");
}

function placed(scale: Scale, values: number[], label: (value: number, index: number) => string): Tick[] {
  const edges = [scale.from, scale.to].sort((a, b) => a - b) as [number, number];
  return values.flatMap((value, index) => {
    const at = place(scale, value);
    return at === null || at < edges[0] - 0.5 || at > edges[1] + 0.5 ? [] : [{ at, label: label(value, index) }];
  });
}

/** Path of a curve; it is interrupted where a logarithmic scale has no place for a value. */
export function linePath(x: Scale, y: Scale, curve: Curve): string {
  let path = "";
  let down = false;
  for (const index of visible(x, curve.x, [curve.y])) {
    const point = pointAt(x, y, curve.x[index], curve.y[index]);
    if (point) path += `${down ? "L" : "M"}${point}`;
    down = point !== null;
  }
  return path;
}

/** Outline of the band of a curve. On a logarithmic scale, bounds without a place lie on the chart's edge. */
export function bandPath(x: Scale, y: Scale, { x: places, low = [], high = [] }: Curve): string {
  const bound = (value: number | undefined) =>
    value !== undefined && y.log && value <= 0 ? y.least : (value ?? Number.NaN);
  const over: string[] = [];
  const under: string[] = [];
  for (const index of visible(x, places, [low, high])) {
    const upper = pointAt(x, y, places[index], bound(high[index]));
    const lower = pointAt(x, y, places[index], bound(low[index]));
    if (!upper || !lower) continue;
    over.push(upper);
    under.push(lower);
  }
  return over.length > 1 ? `M${[...over, ...under.reverse()].join("L")}Z` : "";
}

/** Points a pixel up to which all are drawn. */
const FEW = 2;

/**
 * Indices of the points that are seen: of all whose `places` share a pixel, the least and the greatest of each column; and
 * the ends. So the path of a curve of any length is as long as the chart is wide.
 */
export function visible(x: Scale, places: readonly number[], columns: readonly (readonly number[])[]): number[] {
  const { length } = places;
  if (length <= FEW * Math.abs(x.to - x.from)) return Array.from(places.keys());
  const pixel = (index: number) => Math.floor(place(x, places[index] as number) ?? Number.NaN);
  const seen: number[] = [0];
  let from = 1;
  while (from < length - 1) {
    const column = pixel(from);
    let to = from + 1;
    while (to < length - 1 && pixel(to) === column) to += 1;
    seen.push(...extremes(from, to, columns));
    from = to;
  }
  return [...seen, length - 1];
}

/** Of the indices from `from` to before `to`, those of the extremes of each column, and of what is no number; ascending. */
function extremes(from: number, to: number, columns: readonly (readonly number[])[]): Iterable<number> {
  if (to - from === 1) return [from];
  const found = new Set<number>();
  for (const column of columns) {
    let [least, greatest] = [-1, -1];
    for (let index = from; index < to; index += 1) {
      const value = column[index] as number;
      if (!Number.isFinite(value)) found.add(index);
      else if (least < 0) least = greatest = index;
      else if (value < (column[least] as number)) least = index;
      else if (value > (column[greatest] as number)) greatest = index;
    }
    if (least >= 0) found.add(least).add(greatest);
  }
  return [...found].sort((a, b) => a - b);
}

function pointAt(x: Scale, y: Scale, across: number | undefined, up: number | undefined): string | null {
  const left = place(x, across ?? Number.NaN);
  const top = place(y, up ?? Number.NaN);
  return left === null || top === null ? null : `${tenth(left)},${tenth(top)}`;
}

/** Tenths of a pixel; much faster than `toFixed`. */
const tenth = (pixels: number): number => Math.round(pixels * 10) / 10;

/**
 * Smooth by an exponential moving average, as TensorBoard does: `weight` is that of the past, and the first values are
 * corrected for having little of it.
 */
export function smoothed(values: readonly number[], weight: number): readonly number[] {
  if (weight <= 0) return values;
  let last = 0;
  let count = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    last = weight * last + (1 - weight) * value;
    count += 1;
    return last / (1 - weight ** count);
  });
}

/** Index of the place nearest to `value` in ascending `places`; -1 where there is none. */
export function nearestIndex(places: readonly number[], value: number): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  if (low === places.length) return low - 1;
  if (low === 0) return 0;
  return value - (places[low - 1] ?? 0) <= (places[low] ?? 0) - value ? low - 1 : low;
}
