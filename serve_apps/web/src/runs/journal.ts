/** The log of a run for people: its events, with rows of iterations and of pieces of output drawn together. */
import { isStudy, type RunEvent } from "../events";
import { words } from "../format";
import { describeStudy } from "../studies/journal";

export interface Entry {
  /** Of the first event drawn together in it. */
  first: number;
  seq: number;
  time: string;
  type: string;
  text: string;
}

const number = new Intl.NumberFormat("en");

/** `entries` with `events` at the end. Iterations that follow each other share one entry, as does a test's output. */
export function extend(entries: readonly Entry[], events: readonly RunEvent[]): Entry[] {
  const extended = [...entries];
  for (const event of events) {
    const entry = { first: event.seq, seq: event.seq, time: event.time, type: event.type, text: describe(event) };
    const last = extended.at(-1);
    if (event.type === "training.iteration_completed" && last?.type === event.type) {
      const first = /^Iterations? (\d+)/.exec(last.text)?.[1] ?? String(event.iteration);
      entry.text = `Iterations ${first}–${event.iteration}, ${number.format(event.env_steps)} env steps`;
      entry.first = last.first;
      extended.pop();
    } else if (event.type === "training.progressed" && last?.type === event.type) {
      entry.first = last.first;
      extended.pop();
    } else if (event.type === "evaluation.output" && last?.type === event.type && event.offset > 0) {
      entry.first = last.first;
      extended.pop();
    }
    extended.push(entry);
  }
  return extended;
}

function describe(event: RunEvent): string {
  if (isStudy(event)) return describeStudy(event);
  switch (event.type) {
    case "evaluation.queued":
      return `Queued with ${event.tests} ${event.tests === 1 ? "test" : "tests"}`;
    case "evaluation.started":
      return event.attempt > 1 ? `Started, attempt ${event.attempt}` : "Started";
    case "evaluation.output":
      return `Test ${event.test} has printed ${number.format(event.offset + [...event.text].length)} characters`;
    case "evaluation.test_finished":
      return `Test ${event.result.id}: ${words(event.result.verdict)}`;
    case "evaluation.retried":
      return `Attempt ${event.attempt} failed on our side and is repeated: ${event.reason}`;
    case "evaluation.finished":
      return `Finished: ${words(event.verdict)}, ${number.format(event.score)} of ${number.format(event.max_score)} points`;
    case "evaluation.cancelled":
      return `Cancelled: ${event.reason}`;
    case "evaluation.failed":
      return `Could not be evaluated: ${event.reason}`;
    case "training.queued":
      return "Queued";
    case "training.waiting":
      return event.reason;
    case "training.starting":
      return event.epoch > 1 ? `Starting again (start ${event.epoch})` : "Starting";
    case "training.started":
      return "Started";
    case "training.iteration_completed":
      return `Iteration ${event.iteration}, ${number.format(event.env_steps)} env steps`;
    case "training.evaluated":
      return `Policy evaluated: mean return ${number.format(event.report.episode_return_mean)} over ${event.report.episodes} episodes`;
    case "training.progressed":
      return `${event.phase === "rollout" ? "Rollout" : "Evaluation"} of iteration ${event.iteration}: ${number.format(event.env_steps)} env steps so far`;
    case "training.evaluation_cut_short":
      return `Policy evaluation cut short: ${event.reason}`;
    case "training.environment_fault":
      return `Fault ${number.format(event.total)}: ${event.source}: ${event.kind}${event.count > 1 ? ` in ${number.format(event.count)} copies` : ""}: ${event.message}`;
    case "training.checkpoint_saved":
      return `Checkpoint saved at iteration ${event.checkpoint.iteration}${event.checkpoint.best ? ", the best training return so far" : ""}`;
    case "training.pause_requested":
      return "Pause requested";
    case "training.paused":
      return `Paused at ${number.format(event.progress.env_steps ?? 0)} env steps`;
    case "training.resume_requested":
      return "Resume requested";
    case "training.resumed":
      return "Resumed";
    case "training.stop_requested":
      return "Stop requested";
    case "training.interrupted":
      return `Interrupted: ${event.reason}; continues in ${number.format(event.retry_in_s)} s`;
    case "training.recovered":
      return `Recovered at iteration ${event.iteration}; ${number.format(event.redone_iterations)} ${event.redone_iterations === 1 ? "iteration is" : "iterations are"} repeated`;
    case "training.succeeded":
      return `Succeeded: ${words(event.stop_reason)} reached`;
    case "training.stopped":
      return "Stopped";
    case "training.failed":
      return `Failed: ${event.reason}`;
    case "stream.gap":
      return `Events ${event.first_seq}–${event.last_seq} were skipped: this connection is too slow`;
    default:
      return (event as { type: string }).type;
  }
}
