/** The API's documents, as far as the page reads them. Times are RFC 3339, durations in seconds. */

export const VERDICTS = [
  "accepted",
  "wrong_answer",
  "time_limit_exceeded",
  "memory_limit_exceeded",
  "output_limit_exceeded",
  "runtime_error",
  "compile_error",
  "skipped",
  "cancelled",
  "internal_error",
] as const;
export type Verdict = (typeof VERDICTS)[number];

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface TestResult {
  id: string;
  verdict: Verdict;
  points: number;
  hidden: boolean;
  cpu_time_s: number | null;
  wall_time_s: number | null;
  peak_memory_bytes: number | null;
  exit_code: number | null;
  signal: string | null;
  stdout: string | null;
  stdout_truncated: boolean;
  stderr: string | null;
  stderr_truncated: boolean;
  value: Json;
  message: string | null;
}

export interface SandboxInfo {
  tier: string;
  runtime: string;
  image: string;
  image_digest: string;
  seccomp_digest: string;
  cgroup: string;
}

export type EvaluationState = "queued" | "running" | "finished" | "cancelled" | "failed";

export interface Evaluation {
  id: string;
  seq: number;
  state: EvaluationState;
  verdict: Verdict | null;
  score: number | null;
  max_score: number;
  tests: TestResult[];
  sandbox: SandboxInfo | null;
  attempts: number;
  queue_position: number | null;
  message: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export interface TestCase {
  id: string;
  stdin?: string;
  expected_stdout?: string | null;
  args?: Json[];
  kwargs?: Record<string, Json>;
  expected?: Json;
  points: number;
  hidden: boolean;
}

export interface EvaluationRequest {
  source: string;
  files?: { path: string; content: string }[];
  grader: { kind: "stdio" } | { kind: "function"; entry: string };
  tests: TestCase[];
  checker: { kind: string; abs_tol?: number; rel_tol?: number };
  limits: Record<string, number>;
  stop_on_failure: boolean;
}

export type TrainingState =
  | "queued"
  | "starting"
  | "running"
  | "paused"
  | "interrupted"
  | "succeeded"
  | "stopped"
  | "failed";

export interface Progress {
  iteration: number;
  env_steps: number;
  episodes: number;
  train_wall_s: number;
}

export interface EvaluationReport {
  episodes: number;
  episode_return_mean: number;
  episode_return_std: number;
  episode_return_min: number;
  episode_return_max: number;
  episode_length_mean: number;
}

export interface Checkpoint {
  id: string;
  training_id: string;
  iteration: number;
  env_steps: number;
  episode_return_mean: number | null;
  size_bytes: number;
  created_at: string;
  best: boolean;
}

export interface StopCriteria {
  env_steps?: number | null;
  episode_return_mean?: number | null;
  wall_time_s?: number | null;
  iterations?: number | null;
}

export interface TrainingRequest {
  env: string;
  engine: "rllib" | "simulated";
  seed: number;
  preset: string | null;
  hyperparameters: Record<string, Json>;
  stop: StopCriteria;
  env_config: Record<string, Json>;
  resources: Record<string, number | null>;
  evaluation: { every_iterations: number; episodes: number };
  checkpoint: { every_iterations: number; keep_last: number; keep_best: boolean };
  resume_from: string | null;
}

export interface Training {
  id: string;
  seq: number;
  state: TrainingState;
  request: TrainingRequest;
  simulated: boolean;
  progress: Progress;
  metrics: Record<string, number>;
  evaluation: EvaluationReport | null;
  checkpoint: Checkpoint | null;
  stop_reason: string | null;
  message: string | null;
  restarts: number;
  queue_position: number | null;
  manifest: Record<string, Json> | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export interface Environment {
  id: string;
  observation_space: string;
  action_space: string;
  backend: "envpool" | "gymnasium";
  preset: string | null;
  preset_env_steps: number | null;
  max_episode_steps: number | null;
}

export interface WhoAmI {
  id: string;
  tenant: string;
  scopes: string[];
}

/** What was submitted, as `GET /v1/evaluations/{id}/submission` tells it. */
export interface Submission {
  id: string;
  source: string;
  files: { path: string; content: string }[];
  grader: { kind: string; entry?: string; [name: string]: Json | undefined };
  checker: { kind: string; [name: string]: Json };
  limits: Record<string, number>;
  tests: SubmittedTest[];
}

export interface SubmittedTest {
  id: string;
  points: number;
  hidden: boolean;
  /** `stdin`, `expected_stdout`, `args`, `expected`, …; empty for a hidden test. */
  given: Record<string, Json>;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface Readiness {
  status: "ready" | "degraded" | "unavailable";
  dependencies: { name: string; ok: boolean; detail: string | null }[];
}
