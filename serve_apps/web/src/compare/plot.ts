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

/** Points a column up to which all are drawn. */
const FEW = 2;

/**
 * Path of a curve; it is interrupted where a logarithmic scale has no place for a value. A curve with more points than its
 * columns of `column` pixels can show goes from the least to the greatest value of each: its path is as long as the chart is
 * wide, however long the curve is.
 */
export function linePath(x: Scale, y: Scale, { x: places, y: values }: Curve, column = 1): string {
  const [across, up] = [pixels(x), pixels(y)];
  let path = "";
  let down = false;
  const draw = (left: number, top: number) => {
    path += `${down ? "L" : "M"}${tenth(left)},${tenth(top)}`;
    down = true;
  };
  if (!isDense(places, x, column)) {
    for (let index = 0; index < places.length; index += 1) {
      const [left, top] = [across(places[index] as number), up(values[index] as number)];
      if (Number.isFinite(left) && Number.isFinite(top)) draw(left, top);
      else down = false;
    }
    return path;
  }
  let [at, least, greatest, rising] = [Number.NaN, Number.NaN, Number.NaN, false];
  const flush = () => {
    if (Number.isNaN(least)) return;
    const [first, second] = rising ? [least, greatest] : [greatest, least];
    draw((at + 0.5) * column, first);
    if (first !== second) path += `V${tenth(second)}`;
    least = greatest = Number.NaN;
  };
  for (let index = 0; index < places.length; index += 1) {
    const now = Math.floor(across(places[index] as number) / column);
    const top = up(values[index] as number);
    if (now !== at) flush();
    at = now;
    if (!Number.isFinite(top)) {
      flush();
      down = false;
    } else if (Number.isNaN(least)) least = greatest = top;
    else if (top < least) [least, rising] = [top, false];
    else if (top > greatest) [greatest, rising] = [top, true];
  }
  flush();
  return path;
}

/** Outline of the band of a curve. On a logarithmic scale, bounds without a place lie on the chart's edge. */
export function bandPath(x: Scale, y: Scale, { x: places, low = [], high = [] }: Curve, column = 1): string {
  const [across, up] = [pixels(x), pixels(y)];
  const bound = (value: number | undefined) =>
    up(value !== undefined && y.log && value <= 0 ? y.least : (value ?? Number.NaN));
  const dense = isDense(places, x, column);
  const over: string[] = [];
  const under: string[] = [];
  let [at, upper, lower] = [Number.NaN, Number.NaN, Number.NaN];
  const flush = () => {
    if (Number.isNaN(upper)) return;
    over.push(`${tenth(at)},${tenth(upper)}`);
    under.push(`${tenth(at)},${tenth(lower)}`);
    upper = lower = Number.NaN;
  };
  for (let index = 0; index < places.length; index += 1) {
    const left = across(places[index] as number);
    const now = dense ? (Math.floor(left / column) + 0.5) * column : left;
    if (now !== at || !dense) flush();
    at = now;
    const [above, below] = [bound(high[index]), bound(low[index])];
    if (!Number.isFinite(left) || !Number.isFinite(above) || !Number.isFinite(below)) continue;
    upper = Number.isNaN(upper) ? above : Math.min(upper, above);
    lower = Number.isNaN(lower) ? below : Math.max(lower, below);
  }
  flush();
  return over.length > 1 ? `M${[...over, ...under.reverse()].join("L")}Z` : "";
}

const isDense = (places: readonly number[], { from, to }: Scale, column: number): boolean =>
  places.length > (FEW * Math.abs(to - from)) / column;

/** `place` for many values: NaN in place of null. */
function pixels({ least, greatest, log, from, to }: Scale): (value: number) => number {
  const low = log ? Math.log10(least) : least;
  const slope = (to - from) / ((log ? Math.log10(greatest) : greatest) - low);
  if (!log) return (value) => from + (value - low) * slope;
  return (value) => (value > 0 ? from + (Math.log10(value) - low) * slope : Number.NaN);
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
  let past = 1;
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    last = weight * last + (1 - weight) * value;
    past *= weight;
    return last / (1 - past);
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
