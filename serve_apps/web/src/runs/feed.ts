/** One run followed from its first event on: its document, journal and metrics as signals. */
import { batch, signal } from "@preact/signals";
import type { RunEvent } from "../events";
import type { LiveClient } from "../live/client";
import type { Problem } from "../problem";
import type { Evaluation, Training } from "../types";
import { foldEvaluation, foldTraining, foldWish, newborn, type Wish } from "./fold";
import { type Entry, extend } from "./journal";
import { foldOutput, NOTHING } from "./output";
import { Series } from "./series";

/** Events are gathered this long before the page is drawn again; the charts of a long series, longer. */
const GATHER_MS = 50;
const DRAW_MS = 400;
const LONG = 1000;

interface Followed {
  id: string;
  seq: number;
}

export abstract class Feed<T extends Followed> {
  readonly document;
  readonly journal = signal<readonly Entry[]>([]);
  readonly problem = signal<Problem | null>(null);

  private folded: T;
  private gathered: RunEvent[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly unsubscribe: () => void;

  /** `document` is shown until the fold of the events, which begins with `born`, has come as far. */
  constructor(live: LiveClient, collection: string, document: T, born: T) {
    this.document = signal(document);
    this.folded = born;
    this.unsubscribe = live.subscribe(`${collection}/${document.id}`, 0, {
      onEvent: (event) => this.gather(event),
      onError: (problem) => {
        this.problem.value = problem;
      },
    });
  }

  close(): void {
    clearTimeout(this.timer);
    this.unsubscribe();
  }

  protected abstract fold(document: T, event: RunEvent): T;
  protected took(_events: readonly RunEvent[]): void {}

  private gather(event: RunEvent): void {
    this.gathered.push(event);
    this.timer ??= setTimeout(() => this.take(), GATHER_MS);
  }

  private take(): void {
    const events = this.gathered;
    this.gathered = [];
    this.timer = undefined;
    batch(() => {
      for (const event of events) this.folded = this.fold(this.folded, event);
      if (this.folded.seq >= this.document.value.seq) this.document.value = this.folded;
      this.journal.value = extend(this.journal.value, events);
      this.took(events);
    });
  }
}

export class EvaluationFeed extends Feed<Evaluation> {
  readonly output = signal(NOTHING);

  constructor(live: LiveClient, document: Evaluation) {
    super(live, "evaluations", document, newborn(document));
  }

  protected override fold(document: Evaluation, event: RunEvent): Evaluation {
    return foldEvaluation(document, event);
  }

  protected override took(events: readonly RunEvent[]): void {
    this.output.value = events.reduce(foldOutput, this.output.value);
  }
}

export class TrainingFeed extends Feed<Training> {
  readonly series = new Series();
  /** Counts the changes of `series`, which is too long to be copied for each. */
  readonly drawn = signal(0);
  readonly wish = signal<Wish>(null);
  /** Counts the checkpoints saved. */
  readonly saved = signal(0);
  /** Counts the evaluations whose episodes were recorded. */
  readonly evaluations = signal(0);

  private drawing: ReturnType<typeof setTimeout> | undefined;

  constructor(live: LiveClient, document: Training) {
    super(live, "trainings", document, newborn(document));
  }

  override close(): void {
    clearTimeout(this.drawing);
    super.close();
  }

  protected override fold(document: Training, event: RunEvent): Training {
    return foldTraining(document, event);
  }

  protected override took(events: readonly RunEvent[]): void {
    let changed = false;
    for (const event of events) {
      changed = this.series.add(event) || changed;
      this.wish.value = foldWish(this.wish.value, event);
      if (event.type === "training.checkpoint_saved") this.saved.value += 1;
      if (event.type === "training.evaluated" && event.episodes?.length) this.evaluations.value += 1;
    }
    if (changed) this.draw();
  }

  private draw(): void {
    const wait = this.series.length < LONG ? 0 : DRAW_MS;
    this.drawing ??= setTimeout(() => {
      this.drawing = undefined;
      this.drawn.value += 1;
    }, wait);
  }
}
