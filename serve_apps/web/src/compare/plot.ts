/** Geometry of a chart of curves with bands: scales, ticks and paths. */
import { tickLabels } from "../format";

export type Numbers = readonly number[] | Float64Array;

export interface Curve {
  x: Numbers;
  y: Numbers;
  /** Bounds of the band around the curve, of the same length. */
  low?: Numbers;
  high?: Numbers;
}

/** Least and greatest value of a curve in each column of a chart: infinite without points, NaN without a value to draw. */
export interface Columns {
  least: Float64Array;
  greatest: Float64Array;
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
export function scaleOf(columns: readonly Numbers[], log: boolean, from: number, to: number, margin = 0): Scale {
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

/** Points a pixel up to which all are drawn. */
const FEW = 2;

/** True if a chart has too few pixels to show each point of a curve. */
export const isDense = ({ x }: Curve, { from, to }: Scale): boolean => x.length > FEW * Math.abs(to - from);

/** Columns of a line: a pixel of `x` each. */
export const lineColumns = (x: Scale, y: Scale, { x: places, y: values }: Curve): Columns =>
  columnsOf(x, places, values, values, y.log ? Number.MIN_VALUE : Number.NEGATIVE_INFINITY);

/** Columns of a band. On a logarithmic scale, bounds without a place lie on the chart's edge. */
export function bandColumns(x: Scale, y: Scale, { x: places, low = [], high = [] }: Curve): Columns {
  if (!y.log) return columnsOf(x, places, low, high, Number.NEGATIVE_INFINITY);
  const shown = (bounds: Numbers) => Float64Array.from(bounds, (bound) => (bound <= 0 ? y.least : bound));
  return columnsOf(x, places, shown(low), shown(high), Number.MIN_VALUE);
}

function columnsOf(x: Scale, places: Numbers, low: Numbers, high: Numbers, floor: number): Columns {
  const count = Math.max(1, Math.ceil(x.to - x.from));
  const least = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const greatest = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  const begin = x.log ? Math.log10(x.least) : x.least;
  const slope = (x.to - x.from) / ((x.log ? Math.log10(x.greatest) : x.greatest) - begin);
  for (let index = 0; index < places.length; index += 1) {
    const value = places[index] as number;
    const across = ((x.log ? Math.log10(value) : value) - begin) * slope;
    if (!(across >= 0)) continue;
    const at = across < count ? across | 0 : count - 1;
    const below = low[index] as number;
    const above = high[index] as number;
    if (!(below >= floor && above >= below)) {
      if (least[at] === Number.POSITIVE_INFINITY) least[at] = greatest[at] = Number.NaN;
      continue;
    }
    if (!((least[at] as number) <= below)) least[at] = below;
    if (!((greatest[at] as number) >= above)) greatest[at] = above;
  }
  return { least, greatest };
}

/**
 * Path of a curve; it is interrupted where a logarithmic scale has no place for a value. A curve with more points than its
 * pixels can show goes from the least to the greatest value of each: its path is as long as the chart is wide, however
 * long the curve is.
 */
export function linePath(x: Scale, y: Scale, curve: Curve): string {
  const up = pixels(y);
  let path = "";
  let down = false;
  const draw = (left: number, top: number) => {
    path += `${down ? "L" : "M"}${tenth(left)},${tenth(top)}`;
    down = true;
  };
  if (!isDense(curve, x)) {
    const across = pixels(x);
    for (let index = 0; index < curve.x.length; index += 1) {
      const [left, top] = [across(curve.x[index] as number), up(curve.y[index] as number)];
      if (Number.isFinite(left) && Number.isFinite(top)) draw(left, top);
      else down = false;
    }
    return path;
  }
  const { least, greatest } = lineColumns(x, y, curve);
  let last = Number.NaN;
  for (let column = 0; column < least.length; column += 1) {
    const ends = [least[column] as number, greatest[column] as number];
    if (Number.isNaN(ends[0])) down = false;
    if (!Number.isFinite(ends[0])) continue;
    const [first, second] = ends.map(up).sort((a, b) => Math.abs(a - last) - Math.abs(b - last)) as [number, number];
    draw(x.from + column + 0.5, first);
    if (first !== second) path += `V${tenth(second)}`;
    last = second;
  }
  return path;
}

/** Outline of the band of a curve. */
export function bandPath(x: Scale, y: Scale, curve: Curve): string {
  const up = pixels(y);
  const over: string[] = [];
  const under: string[] = [];
  const draw = (left: number, above: number, below: number) => {
    if (!Number.isFinite(left) || !Number.isFinite(above) || !Number.isFinite(below)) return;
    over.push(`${tenth(left)},${tenth(above)}`);
    under.push(`${tenth(left)},${tenth(below)}`);
  };
  if (isDense(curve, x)) {
    const { least, greatest } = bandColumns(x, y, curve);
    for (let column = 0; column < least.length; column += 1) {
      draw(x.from + column + 0.5, up(greatest[column] as number), up(least[column] as number));
    }
  } else {
    const across = pixels(x);
    const bound = (value: number | undefined) =>
      up(value !== undefined && y.log && value <= 0 ? y.least : (value ?? Number.NaN));
    for (let index = 0; index < curve.x.length; index += 1) {
      draw(across(curve.x[index] as number), bound(curve.high?.[index]), bound(curve.low?.[index]));
    }
  }
  return over.length > 1 ? `M${[...over, ...under.reverse()].join("L")}Z` : "";
}

/** `place` for many values: NaN in place of null. */
export function pixels({ least, greatest, log, from, to }: Scale): (value: number) => number {
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
export function smoothed(values: Numbers, weight: number): Numbers {
  if (weight <= 0) return values;
  const smooth = new Float64Array(values.length);
  let last = 0;
  let past = 1;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as number;
    if (Number.isFinite(value)) {
      last = weight * last + (1 - weight) * value;
      past *= weight;
      smooth[index] = last / (1 - past);
    } else smooth[index] = Number.NaN;
  }
  return smooth;
}

/** Index of the place nearest to `value` in ascending `places`; -1 where there is none. */
export function nearestIndex(places: Numbers, value: number): number {
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
