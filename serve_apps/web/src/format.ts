/** Numbers, sizes and times for people. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });

export const count = (value: number): string => whole.format(value);
export function measure(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return whole.format(value);
  return size > 0 && size < 1e-3 ? value.toExponential(2) : precise.format(value);
}
export const time = (text: string): string => clock.format(new Date(text));
export const dateTime = (text: string): string => full.format(new Date(text));

const UNITS: [size: number, suffix: string][] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];
const MAX_DECIMALS = 6;

/**
 * Labels of an axis' ticks, which are `step` apart: in one unit, with just enough decimals to tell them apart. Where six
 * decimals do not suffice, all of them are in scientific notation.
 */
export function tickLabels(ticks: readonly number[], step: number): string[] {
  const greatest = Math.max(0, ...ticks.filter(Number.isFinite).map(Math.abs));
  if (greatest >= 1e15) return scientific(ticks, step, greatest);
  const [unit, suffix] = (greatest >= 1e4 && UNITS.find(([size]) => greatest >= size)) || [1, ""];
  const decimals = decimalsOf(step / unit);
  if (decimals > MAX_DECIMALS || (greatest > 0 && greatest < 1e-3)) return scientific(ticks, step, greatest);
  return ticks.map((tick) => (isZero(tick, step) ? "0" : `${(tick / unit).toFixed(decimals)}${suffix}`));
}

function scientific(ticks: readonly number[], step: number, greatest: number): string[] {
  const exponent = greatest > 0 ? Math.floor(Math.log10(greatest)) : 0;
  const decimals = Math.min(15, Math.max(1, decimalsOf(step / 10 ** exponent)));
  return ticks.map((tick) => {
    if (isZero(tick, step)) return "0";
    const own = Math.floor(Math.log10(Math.abs(tick)));
    return tick.toExponential(Math.max(1, Math.min(15, decimals - (exponent - own))));
  });
}

/** Decimals that `step` is written with, or 16 where it has more. */
function decimalsOf(step: number): number {
  for (let decimals = 0; decimals <= 15; decimals += 1) {
    const scaled = step * 10 ** decimals;
    // relative: 2.5 is not whole, 2,000.000002 is, for it is 2,000 with a rounding error
    if (scaled >= 0.5 && Math.abs(scaled - Math.round(scaled)) <= 1e-6 * scaled) return decimals;
  }
  return 16;
}

/** Rounding errors of an axis make its zero a tiny number. */
const isZero = (tick: number, step: number): boolean => Math.abs(tick) < Math.abs(step) * 1e-6;

/** `just now`, `5 min ago`, then the date. */
export function ago(text: string, now = Date.now()): string {
  const seconds = (now - new Date(text).getTime()) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  return day.format(new Date(text));
}

/** Seconds, in the unit that reads best. */
export function duration(seconds: number): string {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  const minutes = Math.floor((seconds + 0.05) / 60);
  if (minutes < 60) return `${minutes} min ${Math.max(0, Math.floor(seconds - 60 * minutes))} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** The place in the queue as it was looked up: runs move up without an event. */
export const queued = (before: number | null): string =>
  before ? `${whole.format(before)} before it when this page looked` : "waiting for a free slot";

/** `train_01m82…` short enough for a table, the part that tells runs of a day apart. */
export const shortId = (id: string): string => `…${id.slice(-8)}`;

/** `time_limit_exceeded` as words. */
export const words = (name: string): string => name.replaceAll("_", " ");
