/** A submission to an assignment, followed until it is graded: its verdicts as they come, then its points. */
import { computed, signal } from "@preact/signals";
import type { Api } from "../api";
import type { RunEvent } from "../events";
import { EventReader } from "../live/sse";
import { Problem } from "../problem";
import type { Evaluation, SubmissionDetail, SubmissionInfo } from "../types";
import { foldEvaluation } from "./fold";
import { foldOutput, NOTHING } from "./output";

const GRADING_MS = 500;
const LONGEST_MS = 5_000;

/** Path of a submission in the API. */
export const pathOf = ({ assignment, id }: Pick<SubmissionInfo, "assignment" | "id">): string =>
  `v1/assignments/${encodeURIComponent(assignment)}/submissions/${encodeURIComponent(id)}`;

export class SubmissionFeed {
  /** The submission as the platform last gave it. */
  readonly info;
  /** The evaluation that judges it, as far as its events tell. */
  readonly document;
  readonly output = signal(NOTHING);
  readonly problem = signal<Problem | null>(null);
  readonly graded = computed(() => this.info.value.state !== "pending");

  private readonly events: EventReader | null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(
    private readonly api: Api,
    made: SubmissionInfo | SubmissionDetail,
    private readonly onGraded: () => void = () => {},
  ) {
    this.info = signal(made);
    this.document = signal(evaluationOf(made));
    const path = pathOf(made);
    this.events =
      made.state !== "pending"
        ? null
        : new EventReader((after, abort) => api.events(`${path}/events`, after, abort), {
            onEvent: (event) => this.take(event),
            onEnd: () => void this.grade(GRADING_MS),
            onError: (problem) => {
              this.problem.value = problem;
            },
          });
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.events?.close();
  }

  private take(event: RunEvent): void {
    const before = this.document.value;
    const after = foldEvaluation(before, event);
    // the last verdict stays until the points are known
    this.document.value = after.state === "failed" ? { ...before, seq: after.seq } : after;
    this.output.value = foldOutput(this.output.value, event);
  }

  /** Read the submission until its points are known. */
  private async grade(wait: number): Promise<void> {
    try {
      const detail = await this.api.get<SubmissionDetail>(pathOf(this.info.value));
      if (this.closed) return;
      this.problem.value = null;
      if (detail.state !== "pending") {
        this.document.value = evaluationOf(detail);
        this.info.value = detail;
        this.onGraded();
        return;
      }
    } catch (error) {
      if (this.closed) return;
      this.problem.value = Problem.of(error);
    }
    this.timer = setTimeout(() => void this.grade(Math.min(LONGEST_MS, wait * 2)), wait);
  }
}

/** The document that a result is drawn from. */
export function evaluationOf(submission: SubmissionInfo | SubmissionDetail): Evaluation {
  const { id, state, verdict, message, submitted_at, max_points, points } = submission;
  const detail = "results" in submission ? submission : null;
  return {
    id,
    state: state === "graded" ? "finished" : state === "failed" ? "failed" : "queued",
    verdict,
    message,
    score: points,
    max_score: max_points,
    tests: detail?.results ?? [],
    queue_position: detail?.queue_position ?? null,
    created_at: submitted_at,
    attempts: 1,
    expected_start_at: null,
    files: [],
    finished_at: null,
    started_at: null,
    labels: {},
    name: null,
    notes: null,
    sandbox: null,
    seq: 0,
    submitter: null,
  };
}
