/** Runs of a kind, the newest or those that are looked for. Each is kept up to date by the events that follow its document. */
import { signal } from "@preact/signals";
import type { Api } from "../api";
import type { RunEvent } from "../events";
import type { LiveClient } from "../live/client";
import { Problem } from "../problem";
import type { Evaluation, PageEvaluation, RunPatch, Training } from "../types";

type Page<T> = Omit<PageEvaluation, "items"> & { items: T[] };

const PAGE = 25;
/** Most documents that the platform gives at a time. */
const MOST = 200;
const GATHER_MS = 100;
const LOOK_MS = 5_000;
const FINAL = new Set(["finished", "cancelled", "failed", "succeeded", "stopped"]);

export const isFinal = ({ state }: { state: string }): boolean => FINAL.has(state);

/** What a list shows; empty texts do not filter. */
export interface Filter {
  search: string;
  /** `key=value`, or `key` for any value. */
  label: string;
  state: string;
  /** Id of who submitted it, or `me`. */
  submitter: string;
  /** Value to sort by, with `-` the greatest first. */
  sort: string;
}

export const UNFILTERED: Filter = { search: "", label: "", state: "", submitter: "", sort: "-created_at" };

/** The query of the platform's list; parameters that change nothing are left out. */
export function queryOf(filter: Filter): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ["search", "label", "state", "submitter", "sort"] as const) {
    const value = filter[name].trim();
    if (value && value !== (name === "sort" ? UNFILTERED.sort : "")) query.set(name, value);
  }
  return query;
}

export class RunList<T extends Evaluation | Training> {
  /** Null until the first answer. */
  readonly items = signal<readonly T[] | null>(null);
  readonly problem = signal<Problem | null>(null);
  readonly more = signal<string | null>(null);
  readonly filter = signal<Filter>(UNFILTERED);
  /** While it is held, no run comes or goes by itself: somebody is editing one. */
  held = false;

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

  /** Read what is shown now and every few seconds, so that runs started elsewhere appear and deleted ones go. */
  async refresh(): Promise<void> {
    clearTimeout(this.look);
    if (this.items.value === null || !(this.held || document.hidden)) await this.load(null);
    if (!this.closed) {
      clearTimeout(this.look);
      this.look = setTimeout(() => this.refresh(), LOOK_MS);
    }
  }

  /** Show what `changes` of the filter find. */
  find(changes: Partial<Filter>): Promise<void> {
    this.filter.value = { ...this.filter.value, ...changes };
    this.items.value = null;
    this.more.value = null;
    return this.refresh();
  }

  /** Change the name, labels or notes of a run. */
  async annotate(id: string, patch: RunPatch): Promise<void> {
    const document = await this.api.patch<T>(`v1/runs/${id}`, patch);
    this.items.value = (this.items.value ?? []).map((known) => (known.id === id ? newer(known, document) : known));
  }

  /** Delete a finished run for good. */
  async remove(id: string): Promise<void> {
    await this.api.remove(`v1/runs/${id}`);
    this.followed.get(id)?.();
    this.followed.delete(id);
    this.items.value = (this.items.value ?? []).filter((known) => known.id !== id);
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
    const asked = this.filter.value;
    try {
      const known = this.items.value ?? [];
      const query = queryOf(asked);
      query.set("limit", String(cursor ? PAGE : Math.min(MOST, Math.max(PAGE, known.length))));
      if (cursor) query.set("cursor", cursor);
      const page = await this.api.get<Page<T>>(`v1/${this.collection}?${query}`);
      if (this.closed || asked !== this.filter.value) return;
      const present = this.items.value ?? [];
      const beyond = cursor ? [] : present.slice(MOST);
      if (beyond.length === 0) this.more.value = page.next_cursor;
      this.items.value = merged(present, cursor ? [...present, ...page.items] : [...page.items, ...beyond]);
      this.problem.value = null;
      for (const document of page.items) if (!isFinal(document)) this.follow(document);
    } catch (error) {
      if (asked === this.filter.value) this.problem.value = Problem.of(error);
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

/** The runs of `listed`, each once and in this order; where events are ahead of a document, the `known` one. */
export function merged<T extends Evaluation | Training>(known: readonly T[], listed: readonly T[]): T[] {
  const byId = new Map(known.map((document) => [document.id, document]));
  const found = new Map<string, T>();
  for (const document of listed) {
    const old = byId.get(document.id);
    found.set(document.id, old ? newer(old, document) : document);
  }
  return [...found.values()];
}

/** Of two documents of a run the one that more events are in, with the newest name, labels and notes. */
function newer<T extends Evaluation | Training>(known: T, fresh: T): T {
  const { name, labels, notes } = fresh;
  return fresh.seq >= known.seq ? fresh : { ...known, name, labels, notes };
}
