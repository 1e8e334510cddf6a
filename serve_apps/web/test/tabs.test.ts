import { describe, expect, it } from "vitest";
import { type Channel, Tabs } from "../src/tabs";

/** Channels of one origin: a message reaches all the others, later. */
class Origin {
  private readonly channels: Channel[] = [];

  open(): Channel {
    const channel: Channel = {
      onmessage: null,
      postMessage: (message) => {
        for (const other of this.channels) {
          if (other !== channel) queueMicrotask(() => other.onmessage?.({ data: message } as MessageEvent));
        }
      },
    };
    this.channels.push(channel);
    return channel;
  }
}

function tab(origin: Origin, key: string | null, at = 0) {
  const state = { key };
  const tabs = new Tabs(
    origin.open(),
    () => state.key,
    () => {
      state.key = null;
    },
    () => at,
  );
  if (at) tabs.touch();
  return { tabs, state };
}

describe("tabs of one browser", () => {
  it("sign a new one in, as the user of the tab that was used last", async () => {
    const origin = new Origin();
    tab(origin, "first", 1000);
    tab(origin, "second", 2000);
    tab(origin, null, 3000);
    expect(await tab(origin, null).tabs.ask()).toBe("second");
  });

  it("leave a new one alone where none is signed in, or where there is no channel", async () => {
    const origin = new Origin();
    tab(origin, null);
    expect(await tab(origin, null).tabs.ask()).toBeNull();
    const alone = new Tabs(
      null,
      () => "key",
      () => {},
    );
    expect(await alone.ask()).toBeNull();
  });

  it("sign out together, except those with another key", () => {
    const origin = new Origin();
    const [one, two, other] = [tab(origin, "key"), tab(origin, "key"), tab(origin, "other")];
    one.tabs.signOut("key");
    return Promise.resolve().then(() => {
      expect([two.state.key, other.state.key]).toEqual([null, "other"]);
    });
  });

  it("take no answer that they have not asked for, nor nonsense", async () => {
    const origin = new Origin();
    const stranger = origin.open();
    const { tabs, state } = tab(origin, null);
    stranger.postMessage({ type: "answer", key: "pushed", used: 9 });
    await Promise.resolve();
    const asked = tabs.ask();
    for (const message of [null, 5, "ask", { type: "answer", key: 5, used: 1 }, { type: "sign-out" }]) {
      stranger.postMessage(message);
    }
    expect(await asked).toBeNull();
    expect(state.key).toBeNull();
  });
});
