/** Events of a study in words. */
import type { StudyEvent } from "../events";
import { count, measure, words } from "../format";
import { settingsOf } from "./trials";

export function describeStudy(event: StudyEvent): string {
  switch (event.type) {
    case "study.queued":
      return "Queued";
    case "study.started":
      return event.epoch > 1 ? `Continued by another owner (start ${event.epoch})` : "Started";
    case "study.waiting":
      return `Waiting: ${event.reason}`;
    case "study.trial_suggested": {
      const origin = event.parent == null ? "" : `, continues from trial ${event.parent}`;
      return `Trial ${event.trial}: ${settingsOf(event.hyperparameters)}${origin}`;
    }
    case "study.trial_started":
      return `Trial ${event.trial}: training with seed ${event.seed} queued`;
    case "study.trial_reported":
      return `Trial ${event.trial}: return ${measure(event.report.value)} at ${count(event.report.env_steps)} env steps`;
    case "study.trial_pruned":
      return `Trial ${event.trial} pruned after report ${event.report}`;
    case "study.trial_finished": {
      const result = event.value == null ? "" : `, return ${measure(event.value)}`;
      return `Trial ${event.trial} ${words(event.state)}${result}${event.message ? `: ${event.message}` : ""}`;
    }
    case "study.pause_requested":
      return "Pause requested";
    case "study.paused":
      return "Paused";
    case "study.resume_requested":
      return "Resume requested";
    case "study.resumed":
      return "Resumed";
    case "study.stop_requested":
      return "Stop requested";
    case "study.succeeded":
      return `Succeeded: ${words(event.stop_reason)} reached`;
    case "study.stopped":
      return "Stopped";
    case "study.failed":
      return `Failed: ${event.reason}`;
    default:
      return (event as { type: string }).type;
  }
}
