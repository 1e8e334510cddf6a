import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LiveClient, type Viewer } from "../src/live/client";
import type { Problem } from "../src/problem";
import type { LiveFrame } from "../src/types";
import { FakeSocket } from "./socket";

const frame = (number: number, training = "train_1") => ({ type: "frame", training, number });
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("LiveClient.watch", () => {
  let sockets: FakeSocket[];
  let client: LiveClient;
  let seen: number[];
  let problems: Problem[];
  let show: () => void;
  const viewer: Viewer = {
    onFrame: (found: LiveFrame) => {
      seen.push(found.number);
      return new Promise((resolve) => {
        show = resolve;
      });
    },
    onError: async (problem) => {
      problems.push(problem);
      return problem.code === "not_ready";
    },
  };
  const latest = () => sockets.at(-1) as FakeSocket;
  const requests = () => latest().sent.filter(({ type }) => type === "watch");

  beforeEach(() => {
    sockets = [];
    seen = [];
    problems = [];
    const open = () => {
      sockets.push(new FakeSocket());
      return latest();
    };
    client = new LiveClient(open, "rlp_key", () => undefined);
    latest().accept();
  });
  afterEach(() => client.close());

  it("asks for the next picture once the last one is shown", async () => {
    client.watch("train_1", viewer);
    latest().say(frame(7));
    await settled();
    expect(seen).toEqual([7]);
    expect(requests()).toEqual([{ type: "watch", training: "train_1", after: 0 }]);
    show();
    await settled();
    expect(requests().at(-1)).toEqual({ type: "watch", training: "train_1", after: 7 });
  });

  it("asks again while there is no picture yet, and gives up after any other problem", async () => {
    client.watch("train_1", viewer);
    latest().say({ type: "error", training: "train_1", code: "not_ready", status: 503, detail: "", title: "" });
    await settled();
    expect(requests()).toHaveLength(2);
    latest().say({ type: "error", training: "train_1", code: "engine_error", status: 500, detail: "", title: "" });
    await settled();
    expect(requests()).toHaveLength(2);
    expect(problems).toHaveLength(2);
  });

  it("continues on the next connection, and asks there once", async () => {
    client.watch("train_1", viewer);
    latest().say(frame(7));
    await settled();
    latest().say({ type: "reconnect", cursors: {} });
    latest().accept();
    show();
    await settled();
    expect(requests()).toEqual([{ type: "watch", training: "train_1", after: 7 }]);
  });

  it("ignores pictures of a training that is no longer watched", async () => {
    client.watch("train_1", viewer)();
    latest().say(frame(7));
    client.watch("train_2", viewer);
    latest().say(frame(8));
    await settled();
    expect(seen).toEqual([]);
    expect(requests()).toHaveLength(2);
  });
});
