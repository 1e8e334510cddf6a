/** What is compared and how it is drawn, as the address of the page has it: a link shows others the same. */
import type { Comparison } from "../types";

export interface View {
  metric: string | null;
  x: Comparison["x"];
  /** Weight of the past, from 0 (as measured) to below 1. */
  smoothing: number;
  logX: boolean;
  logY: boolean;
  /** Draw each run, too. */
  runs: boolean;
  evaluations: boolean;
}

/** Filters of runs that the page hands on to the platform. */
const FILTERS = ["label", "env", "state", "submitter", "search", "created_after", "created_before"] as const;
const LARGEST_SMOOTHING = 0.99;

/** The request for the trainings of `query`; null where it names none. Ids win over filters: they exclude each other. */
export function requestOf(query: URLSearchParams, { metric, x }: Pick<View, "metric" | "x">): string | null {
  const asked = new URLSearchParams();
  const ids = query.getAll("id").flatMap((text) => text.split(",").filter(Boolean));
  if (ids.length > 0) asked.set("run", ids.join(","));
  else for (const name of FILTERS) for (const value of query.getAll(name)) if (value) asked.append(name, value);
  if (asked.size === 0) return null;
  if (metric) asked.set("metric", metric);
  asked.set("x", x);
  return `v1/compare?${asked}`;
}

export function viewOf(query: URLSearchParams): View {
  const smoothing = Number(query.get("smoothing") ?? 0);
  const log = query.get("log") ?? "";
  return {
    metric: query.get("metric"),
    x: query.get("x") === "train_wall_s" ? "train_wall_s" : "env_steps",
    smoothing: Number.isFinite(smoothing) ? Math.min(LARGEST_SMOOTHING, Math.max(0, smoothing)) : 0,
    logX: log.includes("x"),
    logY: log.includes("y"),
    runs: query.get("runs") === "1",
    evaluations: query.get("evaluations") === "1",
  };
}

/** The fragment for the trainings of `query` drawn as `view`. */
export function linkOf(query: URLSearchParams, view: View): string {
  const link = new URLSearchParams();
  for (const name of ["id", ...FILTERS]) for (const value of query.getAll(name)) link.append(name, value);
  if (view.metric) link.set("metric", view.metric);
  if (view.x !== "env_steps") link.set("x", view.x);
  if (view.smoothing > 0) link.set("smoothing", String(view.smoothing));
  if (view.logX || view.logY) link.set("log", `${view.logX ? "x" : ""}${view.logY ? "y" : ""}`);
  if (view.runs) link.set("runs", "1");
  if (view.evaluations) link.set("evaluations", "1");
  return `#/compare?${link}`;
}
