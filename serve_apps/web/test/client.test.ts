import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RunEvent } from "../src/events";
import { LiveClient, SILENCE_MS } from "../src/live/client";
import type { Problem } from "../src/problem";
import { FakeSocket } from "./socket";

const STREAM = "trainings/train_1";
const event = (seq: number, stream = STREAM) => ({ type: "training.queued", stream, seq, time: "" });
const events = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => event(first + n));

describe("LiveClient", () => {
  let sockets: FakeSocket[];
  let seen: number[];
  let ended: number;
  let refused: Problem[];
  let errors: Problem[];
  let client: LiveClient;

  const latest = () => sockets.at(-1) as FakeSocket;
  const subscriptions = () => latest().sent.filter(({ type }) => type === "subscribe");
  const listener = {
    onEvent: (found: RunEvent) => void seen.push(found.seq),
    onEnd: () => {
      ended += 1;
    },
    onError: (problem: Problem) => void errors.push(problem),
  };
  const subscribed = (after: number, stream = STREAM) => latest().say({ type: "subscribed", stream, after });

  beforeEach(() => {
    vi.useFakeTimers();
    sockets = [];
    seen = [];
    ended = 0;
    refused = [];
    errors = [];
    const open = () => {
      sockets.push(new FakeSocket());
      return latest();
    };
    client = new LiveClient(open, "rlp_key", (problem) => refused.push(problem));
  });
  afterEach(() => {
    client.close();
    vi.useRealTimers();
  });

  it("sends the key first, in a message and not in the address", () => {
    client.subscribe(STREAM, 0, listener);
    latest().accept();
    expect(latest().sent).toEqual([
      { type: "auth", token: "rlp_key" },
      { type: "subscribe", stream: STREAM, after: 0 },
    ]);
  });

  it("goes on behind the last event after every loss of the connection", () => {
    client.subscribe(STREAM, 0, listener);
    latest().accept();
    subscribed(0);
    latest().say(...events(1, 3));
    for (const last of [3, 5, 8]) {
      latest().lose();
      expect(client.status.value).toBe("waiting");
      vi.advanceTimersByTime(15_000);
      latest().accept();
      expect(subscriptions()).toEqual([{ type: "subscribe", stream: STREAM, after: last }]);
      subscribed(last);
      latest().say(...events(last + 1, last === 3 ? 5 : 8));
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(sockets).toHaveLength(4);
  });

  it("comes again at once when the server asks for it", () => {
    client.subscribe(STREAM, 0, listener);
    latest().accept();
    subscribed(0);
    latest().say(event(1), { type: "reconnect", cursors: { [STREAM]: 1 } });
    expect(sockets).toHaveLength(2);
    expect(sockets[0]?.closed).toBe(true);
    latest().accept();
    expect(subscriptions()).toEqual([{ type: "subscribe", stream: STREAM, after: 1 }]);
  });

  it("gives an event once, however often it comes", () => {
    client.subscribe(STREAM, 2, listener);
    latest().accept();
    subscribed(2);
    latest().say(...events(1, 4), ...events(3, 5));
    expect(seen).toEqual([3, 4, 5]);
  });

  it("connects anew where an event is missing, and gives nothing out of order", () => {
    client.subscribe(STREAM, 0, listener);
    latest().accept();
    subscribed(0);
    latest().say(event(1), event(3), event(4));
    expect(seen).toEqual([1]);
    vi.advanceTimersByTime(15_000);
    latest().accept();
    expect(subscriptions()[0]).toMatchObject({ after: 1 });
  });

  it("takes a gap for what it stands for", () => {
    client.subscribe(STREAM, 0, listener);
    latest().accept();
    subscribed(0);
    const gap = { type: "stream.gap", stream: STREAM, seq: 9, first_seq: 2, last_seq: 9, time: "" };
    latest().say(event(1), gap, event(10));
    expect(seen).toEqual([1, 9, 10]);
    expect(sockets).toHaveLength(1);
  });

  it("ignores the old socket's messages once it has a new one", () => {
    client.subscribe(STREAM, 0, listener);
    const old = latest().accept();
    subscribed(0);
    old.lose();
    vi.advanceTimersByTime(15_000);
    latest().accept();
    subscribed(0);
    old.say(event(1), { type: "reconnect", cursors: {} });
    old.lose();
    expect(seen).toEqual([]);
    expect(sockets).toHaveLength(2);
    expect(client.status.value).toBe("live");
  });

  it("does not take events of an earlier subscription for those of the next", () => {
    const leave = client.subscribe(STREAM, 5, listener);
    latest().accept();
    subscribed(5);
    leave();
    client.subscribe(STREAM, 0, listener);
    latest().say(event(6)); // on its way when it was left
    latest().say({ type: "unsubscribed", stream: STREAM });
    subscribed(0);
    latest().say(...events(1, 6));
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(sockets).toHaveLength(1);
  });

  it("takes no harm from leaving a stream that has just ended", () => {
    const leave = client.subscribe(STREAM, 0, listener);
    latest().accept();
    subscribed(0);
    leave();
    client.subscribe(STREAM, 0, listener);
    latest().say({ type: "error", stream: STREAM, code: "invalid_request", status: 422, detail: "not subscribed" });
    subscribed(0);
    latest().say(event(1));
    expect(errors).toEqual([]);
    expect(seen).toEqual([1]);
  });

  it("says when a stream is over, and does not ask for it again", () => {
    client.subscribe(STREAM, 0, listener);
    latest().accept();
    subscribed(0);
    latest().say(event(1), { type: "stream.end", stream: STREAM });
    expect(ended).toBe(1);
    latest().lose();
    vi.advanceTimersByTime(15_000);
    latest().accept();
    expect(subscriptions()).toEqual([]);
  });

  it("tells the listener that its stream is refused, and no other", () => {
    client.subscribe(STREAM, 0, listener);
    client.subscribe("trainings/train_2", 0, listener);
    latest().accept();
    latest().say({ type: "error", stream: STREAM, code: "not_found", status: 404, detail: "no such run" });
    subscribed(0, "trainings/train_2");
    latest().say(event(1, "trainings/train_2"));
    expect(errors.map(({ code }) => code)).toEqual(["not_found"]);
    expect(seen).toEqual([1]);
  });

  it("goes on behind its cursor when the log did not answer", () => {
    client.subscribe(STREAM, 0, listener);
    latest().accept();
    subscribed(0);
    latest().say(event(1));
    latest().say({ type: "error", stream: STREAM, code: "storage_error", status: 500, detail: "", retryable: true });
    vi.advanceTimersByTime(15_000);
    latest().accept();
    expect(subscriptions()[0]).toMatchObject({ after: 1 });
    expect(errors).toEqual([]);
  });

  it("stops for good when the key is refused", () => {
    latest().onopen?.(new Event("open"));
    latest().say({ type: "error", code: "not_authenticated", status: 401, detail: "the API key has been revoked" });
    expect(refused.map(({ detail }) => detail)).toEqual(["the API key has been revoked"]);
    latest().lose();
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
    expect(client.status.value).toBe("closed");
  });

  it("waits longer after every failure, up to 15 s, and starts over once it was connected", () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 7; attempt += 1) {
      latest().lose();
      waits.push((client.retryAt.value ?? 0) - Date.now());
      vi.advanceTimersToNextTimer();
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    latest().accept().lose();
    expect((client.retryAt.value ?? 0) - Date.now()).toBe(500);
    vi.restoreAllMocks();
  });

  it("takes silence for a lost connection; heartbeats are enough to keep one", () => {
    latest().accept();
    for (let beat = 0; beat < 5; beat += 1) {
      vi.advanceTimersByTime(SILENCE_MS - 1);
      latest().say({ type: "heartbeat" });
    }
    expect(client.status.value).toBe("live");
    vi.advanceTimersByTime(SILENCE_MS);
    expect(client.status.value).toBe("waiting");
    expect(sockets[0]?.closed).toBe(true);
  });

  it("connects at once when it is told to hurry", () => {
    latest().lose();
    client.hurry();
    expect(sockets).toHaveLength(2);
    vi.advanceTimersByTime(14_000);
    expect(sockets).toHaveLength(2);
  });
});
