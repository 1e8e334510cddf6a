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

/** The ticks of an axis, `step` apart: in one unit, with as many decimals as tell them apart. */
export function tickLabels(ticks: readonly number[], step: number): string[] {
  const greatest = Math.max(...ticks.map(Math.abs));
  if (greatest > 0 && greatest < 1e-3) return ticks.map((tick) => (tick === 0 ? "0" : tick.toExponential(1)));
  const [unit, suffix] = greatest >= 1e6 ? [1e6, "M"] : greatest >= 1e4 ? [1e3, "k"] : [1, ""];
  let decimals = 0;
  const apart = (step / unit) * (1 + 1e-9);
  while (decimals < 6 && (apart * 10 ** decimals) % 1 > 1e-6) decimals += 1;
  return ticks.map((tick) => (tick === 0 ? "0" : `${(tick / unit).toFixed(decimals)}${suffix}`));
}

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
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** The place in the queue as it was looked up: runs move up without an event. */
export const queued = (before: number | null): string =>
  before ? `${whole.format(before)} were before it when this page looked` : "Waiting for room";

/** `train_01m82…` short enough for a table, the part that tells runs of a day apart. */
export const shortId = (id: string): string => `…${id.slice(-8)}`;
