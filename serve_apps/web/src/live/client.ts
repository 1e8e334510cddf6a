/**
 * Event streams over one WebSocket (`/v1/live`): subscriptions outlive connections.
 *
 * Each subscription keeps a cursor, the sequence number of the last event that its listener received. After a lost
 * connection it continues behind the cursor. A listener receives every event once and in order: repeated events are
 * dropped, and a missing one makes the client connect again. The server announces events that it leaves out for a slow
 * reader with `stream.gap`.
 */
import { signal } from "@preact/signals";
import type { RunEvent } from "../events";
import { Problem } from "../problem";
import type { LiveClientMessage, LiveFrame, LiveServerMessage, LiveSubscribe, LiveUnsubscribe } from "../types";

export type Status = "connecting" | "live" | "waiting" | "closed";

export interface Listener {
  onEvent(event: RunEvent): void;
  /** The listener has received the final event of the stream. */
  onEnd?(): void;
  /** The server refuses this stream. */
  onError?(problem: Problem): void;
}

export interface Viewer {
  /** A picture has arrived. The next one is asked for when the promise is kept. */
  onFrame(frame: LiveFrame): Promise<void>;
  /** There is no picture now. The promise says whether to ask again, and is kept when it is time. */
  onError(problem: Problem): Promise<boolean>;
}

export interface Socket {
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(text: string): void;
  close(): void;
}

interface Entry {
  cursor: number;
  live: boolean;
  listener: Listener;
}

type Command = LiveSubscribe | LiveUnsubscribe;

export const SILENCE_MS = 45_000;
const BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 15_000;

export class LiveClient {
  readonly status = signal<Status>("connecting");
  /** When the next attempt to connect is due, in milliseconds since 1970. */
  readonly retryAt = signal<number | null>(null);

  private socket: Socket | null = null;
  private readonly entries = new Map<string, Entry>();
  /** The commands that the server has yet to answer, by stream: it answers them in order. */
  private readonly unanswered = new Map<string, Command["type"][]>();
  private watched: { training: string; after: number; viewer: Viewer } | null = null;
  private failures = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly open: () => Socket,
    /** The key; or a function that makes a ticket, which is good once. */
    private readonly token: string | (() => Promise<string>),
    private readonly onRefused: (problem: Problem) => void,
  ) {
    this.connect();
  }

  /** Follow `stream` behind event `after`. A later subscription to the same stream takes the place of this one. */
  subscribe(stream: string, after: number, listener: Listener): () => void {
    const entry: Entry = { cursor: after, live: false, listener };
    if (this.entries.has(stream)) this.unsubscribe(stream);
    this.entries.set(stream, entry);
    if (this.status.value === "live") this.ask(stream, entry);
    return () => {
      if (this.entries.get(stream) === entry) this.unsubscribe(stream);
    };
  }

  /** Watch a training, in place of the one that is watched: one picture after the other, each when it is asked for. */
  watch(training: string, viewer: Viewer): () => void {
    const watched = { training, after: 0, viewer };
    this.watched = watched;
    if (this.status.value === "live") this.look();
    return () => {
      if (this.watched === watched) this.watched = null;
    };
  }

  /** Connect now instead of at `retryAt`: the network is back, or the user asks. */
  hurry(): void {
    if (this.status.value === "waiting") this.connect();
  }

  close(): void {
    this.entries.clear();
    this.watched = null;
    this.drop();
    this.status.value = "closed";
  }

  private connect(): void {
    this.drop();
    this.status.value = "connecting";
    this.attend();
    const socket = this.open();
    this.socket = socket;
    socket.onopen = () => void this.authenticate(socket);
    socket.onmessage = (message) => {
      if (socket !== this.socket) return;
      this.attend();
      this.receive(JSON.parse(String(message.data)));
    };
    socket.onclose = () => {
      if (socket === this.socket) this.wait();
    };
  }

  private async authenticate(socket: Socket): Promise<void> {
    if (typeof this.token === "string") return this.send({ type: "auth", token: this.token });
    try {
      const token = await this.token();
      if (socket === this.socket) this.send({ type: "auth", token });
    } catch {
      if (socket === this.socket) this.wait();
    }
  }

  /** Drop the connection and its state; subscriptions stay. */
  private drop(): void {
    clearTimeout(this.retry);
    clearTimeout(this.watchdog);
    this.retryAt.value = null;
    this.unanswered.clear();
    for (const entry of this.entries.values()) entry.live = false;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  /** Connect again after a back-off with jitter. */
  private wait(): void {
    this.drop();
    const longest = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** this.failures);
    const delay = longest * (0.5 + 0.5 * Math.random());
    this.failures += 1;
    this.status.value = "waiting";
    this.retryAt.value = Date.now() + delay;
    this.retry = setTimeout(() => this.connect(), delay);
  }

  /** The server sends heartbeats: a connection that is silent for long is dead, whatever TCP believes. */
  private attend(): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.wait(), SILENCE_MS);
  }

  private receive(message: LiveServerMessage | RunEvent): void {
    switch (message.type) {
      case "heartbeat":
        return;
      case "authenticated":
        this.failures = 0;
        this.status.value = "live";
        for (const [name, entry] of this.entries) this.ask(name, entry);
        this.look();
        return;
      case "frame":
        void this.show(message);
        return;
      case "subscribed":
      case "unsubscribed":
        this.answered(message.stream);
        return;
      case "stream.end":
        this.end(message.stream);
        return;
      case "reconnect":
        this.connect();
        return;
      case "error":
        if (message.training) void this.unseen(message.training, Problem.from(message, message.status));
        else this.fail(message.stream ?? "", Problem.from(message, message.status));
        return;
      default:
        this.deliver(message);
    }
  }

  private deliver(event: RunEvent): void {
    const entry = this.entries.get(event.stream);
    if (!entry?.live || event.seq <= entry.cursor) return;
    const first = event.type === "stream.gap" ? event.first_seq : event.seq;
    if (first > entry.cursor + 1) {
      this.wait();
      return;
    }
    entry.cursor = event.seq;
    entry.listener.onEvent(event);
  }

  private end(stream: string): void {
    const entry = this.entries.get(stream);
    if (!entry?.live) return;
    this.entries.delete(stream);
    entry.listener.onEnd?.();
  }

  private fail(stream: string, problem: Problem): void {
    if (!stream) {
      if (problem.status === 401 || problem.status === 403) {
        this.close();
        this.onRefused(problem);
      }
      return;
    }
    const entry = this.entries.get(stream);
    const command = this.answered(stream);
    if (command === "unsubscribe") return; // it had ended by itself
    if (command === undefined) {
      this.wait(); // the log did not answer: go on behind the cursors
      return;
    }
    this.entries.delete(stream);
    entry?.listener.onError?.(problem);
  }

  private look(): void {
    if (this.watched) this.send({ type: "watch", training: this.watched.training, after: this.watched.after });
  }

  private async show(frame: LiveFrame): Promise<void> {
    const { watched, socket } = this;
    if (!watched || frame.training !== watched.training) return;
    watched.after = frame.number;
    await watched.viewer.onFrame(frame);
    if (watched === this.watched && socket === this.socket) this.look();
  }

  private async unseen(training: string, problem: Problem): Promise<void> {
    const { watched, socket } = this;
    if (!watched || training !== watched.training) return;
    const again = await watched.viewer.onError(problem);
    if (watched !== this.watched) return;
    if (!again) this.watched = null;
    else if (socket === this.socket) this.look();
  }

  private ask(stream: string, entry: Entry): void {
    this.command({ type: "subscribe", stream, after: entry.cursor });
  }

  private unsubscribe(stream: string): void {
    this.entries.delete(stream);
    if (this.status.value === "live") this.command({ type: "unsubscribe", stream });
  }

  private command(message: Command): void {
    const { type, stream } = message;
    this.unanswered.set(stream, [...(this.unanswered.get(stream) ?? []), type]);
    this.send(message);
  }

  /** Return the command that an answer belongs to. Events count from the answer to the last command. */
  private answered(stream: string): Command["type"] | undefined {
    const commands = this.unanswered.get(stream) ?? [];
    const command = commands.shift();
    const entry = this.entries.get(stream);
    if (entry && commands.length === 0 && command === "subscribe") entry.live = true;
    return command;
  }

  private send(message: LiveClientMessage): void {
    this.socket?.send(JSON.stringify(message));
  }
}
