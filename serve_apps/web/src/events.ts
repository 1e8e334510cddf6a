/** Events as they come over a stream: one envelope, told apart by `type`. Types that are not listed are let through. */
import type { Checkpoint, EvaluationReport, Json, Progress, SandboxInfo, TestResult, Verdict } from "./types";

interface Envelope {
  stream: string;
  seq: number;
  time: string;
}

type Of<Type extends string, Fields = object> = Envelope & { type: Type } & Fields;

export type EvaluationEvent =
  | Of<"evaluation.queued", { tests: number; max_score: number }>
  | Of<"evaluation.started", { attempt: number; sandbox: SandboxInfo | null }>
  | Of<"evaluation.output", { attempt: number; test: string; offset: number; text: string; truncated: boolean }>
  | Of<"evaluation.test_finished", { attempt: number; result: TestResult }>
  | Of<"evaluation.retried", { attempt: number; reason: string }>
  | Of<
      "evaluation.finished",
      {
        verdict: Verdict;
        score: number;
        max_score: number;
        tests: TestResult[];
        sandbox: SandboxInfo | null;
        message?: string | null;
      }
    >
  | Of<"evaluation.cancelled", { reason: string }>
  | Of<"evaluation.failed", { reason: string }>;

export type TrainingEvent = { simulated: boolean } & (
  | Of<"training.queued">
  | Of<"training.waiting", { reason: string }>
  | Of<"training.starting", { epoch: number }>
  | Of<"training.started", { manifest: Record<string, Json> }>
  | Of<"training.iteration_completed", Progress & { metrics: Record<string, number> }>
  | Of<"training.evaluated", { iteration: number; env_steps: number; report: EvaluationReport }>
  | Of<"training.progressed", { phase: "rollout" | "evaluation"; iteration: number; env_steps: number }>
  | Of<
      "training.evaluation_cut_short",
      { iteration: number; env_steps: number; reason: string; report: EvaluationReport | null }
    >
  | Of<"training.checkpoint_saved", { checkpoint: Checkpoint }>
  | Of<"training.pause_requested", { by: string }>
  | Of<"training.paused", { progress: Progress }>
  | Of<"training.resume_requested", { by: string }>
  | Of<"training.resumed", { progress: Progress }>
  | Of<"training.stop_requested", { by: string }>
  | Of<"training.interrupted", { reason: string; retry_in_s: number; planned: boolean }>
  | Of<
      "training.recovered",
      {
        checkpoint_id: string | null;
        iteration: number;
        env_steps: number;
        redone_iterations: number;
        redone_env_steps: number;
      }
    >
  | Of<"training.succeeded", { stop_reason: string; progress: Progress }>
  | Of<"training.stopped", { stop_reason: string; progress: Progress }>
  | Of<"training.failed", { code: string; reason: string; progress: Progress }>
);

export type StreamGap = Of<"stream.gap", { first_seq: number; last_seq: number }>;

export type RunEvent = EvaluationEvent | TrainingEvent | StreamGap;

export const isEvaluation = (event: RunEvent): event is EvaluationEvent => event.type.startsWith("evaluation.");
export const isTraining = (event: RunEvent): event is TrainingEvent => event.type.startsWith("training.");
