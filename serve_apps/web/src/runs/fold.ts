/** A run's document after an event: the same fold as the platform's own (`rlplatform/evaluation/record.py`, `rlplatform/training/record.py`). */
import type { EvaluationEvent, RunEvent, TrainingEvent } from "../events";
import { isEvaluation, isTraining } from "../events";
import type {
  CheckpointInfo,
  CheckpointInfoInEvent,
  Evaluation,
  Progress,
  ProgressInEvent,
  TestResult,
  TestResultInEvent,
  Training,
} from "../types";

// the log also has events of earlier versions, which lack newer fields
const progressOf = (told: ProgressInEvent): Progress => ({
  iteration: 0,
  env_steps: 0,
  episodes: 0,
  train_wall_s: 0,
  ...told,
});
const checkpointOf = (told: CheckpointInfoInEvent): CheckpointInfo => ({
  episode_return_mean: null,
  best: false,
  ...told,
});
const resultOf = (told: TestResultInEvent): TestResult => ({
  hidden: false,
  cpu_time_s: null,
  wall_time_s: null,
  core_wait_time_s: null,
  isolation: null,
  checker_cpu_time_s: null,
  peak_memory_bytes: null,
  exit_code: null,
  signal: null,
  stdout: null,
  stdout_truncated: false,
  stderr: null,
  stderr_truncated: false,
  value: null,
  message: null,
  ...told,
});

/** `document` as it was before its first event. */
export function newborn<T extends Evaluation | Training>(document: T): T {
  const blank = { seq: 0, state: "queued", message: null, started_at: null, finished_at: null };
  const kind =
    "request" in document
      ? {
          progress: progressOf({}),
          metrics: {},
          evaluation: null,
          checkpoint: null,
          stop_reason: null,
          restarts: 0,
          manifest: null,
        }
      : { verdict: null, score: null, tests: [], files: [], sandbox: null, attempts: 0 };
  return { ...document, ...blank, ...kind };
}

export function foldEvaluation(document: Evaluation, event: RunEvent): Evaluation {
  const changes = isEvaluation(event) ? evaluationChanges(document, event) : {};
  return { ...document, ...changes, seq: event.seq };
}

export function foldTraining(document: Training, event: RunEvent): Training {
  const changes = isTraining(event) ? trainingChanges(document, event) : {};
  return { ...document, ...changes, seq: event.seq };
}

function evaluationChanges(document: Evaluation, event: EvaluationEvent): Partial<Evaluation> {
  switch (event.type) {
    case "evaluation.started":
      return {
        state: "running",
        attempts: event.attempt,
        started_at: document.started_at ?? event.time,
        tests: [],
        queue_position: null,
      };
    case "evaluation.test_finished":
      return { tests: [...document.tests, resultOf(event.result)] };
    case "evaluation.retried":
      return { state: "queued", attempts: event.attempt, tests: [] };
    case "evaluation.finished": {
      const { verdict, score, sandbox = null, message = null } = event;
      const tests = event.tests.map(resultOf);
      const files = (event.files ?? []).map((file) => ({ test: null, ...file }));
      return { state: "finished", verdict, score, tests, files, sandbox, message, finished_at: event.time };
    }
    case "evaluation.cancelled":
      return { state: "cancelled", verdict: "cancelled", message: event.reason, finished_at: event.time };
    case "evaluation.failed":
      return { state: "failed", message: event.reason, finished_at: event.time };
    default:
      return {};
  }
}

function trainingChanges(document: Training, event: TrainingEvent): Partial<Training> {
  switch (event.type) {
    case "training.waiting":
      return { message: event.reason };
    case "training.starting":
      return {
        state: "starting",
        queue_position: null,
        message: document.state === "queued" ? null : document.message,
      };
    case "training.started":
      return { state: "running", manifest: event.manifest, started_at: document.started_at ?? event.time };
    case "training.iteration_completed": {
      const { iteration, env_steps, episodes, train_wall_s, metrics } = event;
      return { progress: { iteration, env_steps, episodes, train_wall_s }, metrics };
    }
    case "training.evaluated":
      return { evaluation: event.report };
    case "training.checkpoint_saved":
      return { checkpoint: checkpointOf(event.checkpoint) };
    case "training.paused":
      return { state: "paused", progress: progressOf(event.progress) };
    case "training.resumed":
      return { state: "running", progress: progressOf(event.progress) };
    case "training.interrupted":
      return {
        state: "interrupted",
        message: event.reason,
        restarts: document.restarts + (event.planned ? 0 : 1),
      };
    case "training.recovered": {
      const { iteration, env_steps } = event;
      return { state: "running", message: null, progress: { ...document.progress, iteration, env_steps } };
    }
    case "training.succeeded":
    case "training.stopped": {
      const state = event.type === "training.succeeded" ? "succeeded" : "stopped";
      return { state, stop_reason: event.stop_reason, progress: progressOf(event.progress), finished_at: event.time };
    }
    case "training.failed": {
      const { code, reason } = event;
      const progress = progressOf(event.progress);
      return { state: "failed", stop_reason: code, message: reason, progress, finished_at: event.time };
    }
    default:
      return {};
  }
}

/** Return the request to a training that has not been carried out yet: `pause`, `resume` or `stop`. */
export function foldWish(wish: Wish, event: RunEvent): Wish {
  switch (event.type) {
    case "training.pause_requested":
      return "pause";
    case "training.resume_requested":
      return "resume";
    case "training.stop_requested":
      return "stop";
    case "training.paused":
      return wish === "pause" ? null : wish;
    case "training.resumed":
    case "training.recovered":
      return wish === "resume" ? null : wish;
    case "training.succeeded":
    case "training.stopped":
    case "training.failed":
      return null;
    default:
      return wish;
  }
}

export type Wish = "pause" | "resume" | "stop" | null;
