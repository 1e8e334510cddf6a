/** Dates of an assignment for people: in the time zone of the reader, how far away, and what being late costs. */
import type { LatePolicyOutput, MyStatus } from "../types";

const moment = new Intl.DateTimeFormat(undefined, {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  timeZoneName: "short",
});
const distance = new Intl.RelativeTimeFormat("en", { numeric: "always" });
const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });

/** A date with its time zone: that of the reader. */
export const local = (text: string): string => moment.format(new Date(text));

const STEPS: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** `in 3 days`, `2 hours ago`. A date is never made to look further away than it is. */
export function away(text: string, now = Date.now()): string {
  const seconds = (new Date(text).getTime() - now) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size * (unit === "day" ? 2 : 1)) return distance.format(Math.trunc(seconds / size), unit);
  }
  return distance.format(Math.trunc(seconds), "second");
}

export const share = (value: number): string => percent.format(value);

/** What late submissions lose, in a sentence; null where nothing can be late. */
export function lateRule({ per_day, at_most, grace_s }: LatePolicyOutput, dueAt: string | null): string | null {
  if (dueAt === null) return null;
  if (per_day === 0 || at_most === 0) return "Late submissions lose nothing.";
  const most = at_most < 1 && at_most > per_day ? `, ${share(at_most)} at most` : "";
  const grace = grace_s > 0 ? ` The first ${minutes(grace_s)} cost nothing.` : "";
  return `Late submissions lose ${share(Math.min(per_day, at_most))} of their score for each day begun${most}.${grace}`;
}

function minutes(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} seconds`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`;
}

/** Attempts that are left, in a few words. */
export function attemptsLeft({ attempts }: MyStatus): string {
  return attempts.left === null ? "no limit" : `${attempts.left} of ${attempts.maximum}`;
}

/** The reason why nothing can be submitted now; null where something can. */
export function whyNot(mine: MyStatus, now = Date.now()): string | null {
  const { attempts, closes_at } = mine;
  if (mine.date_state === "closed") return closes_at ? `Closed since ${local(closes_at)}.` : "Closed.";
  if (attempts.allowed) return null;
  if (attempts.next_at === null) return `All ${attempts.maximum} attempts are used.`;
  return new Date(attempts.next_at).getTime() > now
    ? `Your next attempt is possible ${away(attempts.next_at, now)}.`
    : null;
}

/** The next moment at which what is possible changes, in milliseconds since 1970; null: none is known. */
export function nextChange(mine: MyStatus, now = Date.now()): number | null {
  const dates = [mine.due_at, mine.closes_at, mine.attempts.next_at];
  const later = dates.flatMap((text) => (text === null ? [] : [new Date(text).getTime()])).filter((at) => at > now);
  return later.length > 0 ? Math.min(...later) : null;
}
