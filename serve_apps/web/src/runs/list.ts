/** The newest runs of a kind. Each is kept up to date by the events that follow its document. */
import { signal } from "@preact/signals";
import type { Api } from "../api";
import type { RunEvent } from "../events";
import type { LiveClient } from "../live/client";
import { Problem } from "../problem";
import type { Evaluation, PageEvaluation, Training } from "../types";

type Page<T> = Omit<PageEvaluation, "items"> & { items: T[] };

const PAGE = 25;
const GATHER_MS = 100;
const LOOK_MS = 5_000;
const FINAL = new Set(["finished", "cancelled", "failed", "succeeded", "stopped"]);

export const isFinal = ({ state }: { state: string }): boolean => FINAL.has(state);

export class RunList<T extends Evaluation | Training> {
  /** Null until the first answer. */
  readonly items = signal<readonly T[] | null>(null);
  readonly problem = signal<Problem | null>(null);
  readonly more = signal<string | null>(null);

  private readonly followed = new Map<string, () => void>();
  private gathered: RunEvent[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private look: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(
    private readonly api: Api,
    private readonly live: LiveClient,
    private readonly collection: "evaluations" | "trainings",
    private readonly fold: (document: T, event: RunEvent) => T,
  ) {}

  /** Read the newest page now and every few seconds, so that runs started elsewhere appear. */
  async refresh(): Promise<void> {
    clearTimeout(this.look);
    if (!document.hidden || this.items.value === null) await this.load(null);
    if (!this.closed) this.look = setTimeout(() => this.refresh(), LOOK_MS);
  }

  loadMore(): Promise<void> {
    return this.load(this.more.value);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.look);
    for (const unfollow of this.followed.values()) unfollow();
  }

  private async load(cursor: string | null): Promise<void> {
    try {
      const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
      const page = await this.api.get<Page<T>>(`v1/${this.collection}?limit=${PAGE}${after}`);
      if (this.closed) return;
      if (cursor || this.items.value === null) this.more.value = page.next_cursor;
      this.items.value = merged(this.items.value ?? [], page.items);
      this.problem.value = null;
      for (const document of page.items) if (!isFinal(document)) this.follow(document);
    } catch (error) {
      this.problem.value = Problem.of(error);
    }
  }

  private follow(document: T): void {
    if (this.followed.has(document.id)) return;
    const forget = () => void this.followed.delete(document.id);
    const known = this.items.value?.find(({ id }) => id === document.id) ?? document;
    const listener = { onEvent: (event: RunEvent) => this.gather(event), onEnd: forget, onError: forget };
    this.followed.set(document.id, this.live.subscribe(`${this.collection}/${document.id}`, known.seq, listener));
  }

  private gather(event: RunEvent): void {
    this.gathered.push(event);
    this.timer ??= setTimeout(() => this.take(), GATHER_MS);
  }

  private take(): void {
    const events = Map.groupBy(this.gathered, (event) => event.stream);
    this.gathered = [];
    this.timer = undefined;
    this.items.value = (this.items.value ?? []).map((document) => {
      const news = events.get(`${this.collection}/${document.id}`) ?? [];
      return news.reduce((folded, event) => (event.seq > folded.seq ? this.fold(folded, event) : folded), document);
    });
  }
}

/** Merge two lists, newest first, keeping the newer document of each run. Ids sort by time. */
export function merged<T extends Evaluation | Training>(known: readonly T[], fresh: readonly T[]): T[] {
  const byId = new Map(known.map((document) => [document.id, document]));
  for (const document of fresh) {
    const old = byId.get(document.id);
    if (!old || document.seq > old.seq) byId.set(document.id, document);
  }
  return [...byId.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
}
