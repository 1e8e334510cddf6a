import { describe, expect, test } from "vitest";
import { Api, SESSION } from "../src/api";
import { LiveClient } from "../src/live/client";
import { refusalOf } from "../src/refusals";
import { FakeSocket } from "./socket";

async function sentWith(key: string | null): Promise<RequestInit> {
  let sent: RequestInit = {};
  const fetch = (_: string, init?: RequestInit) => {
    sent = init ?? {};
    return Promise.resolve(new Response("{}"));
  };
  await new Api("/", key, () => {}, fetch).get("v1/whoami");
  return sent;
}

describe("a call", () => {
  test("sends the cookie for a session alone, with the header that other sites cannot send", async () => {
    const session = await sentWith(SESSION);
    expect([session.credentials, session.headers]).toEqual(["same-origin", { "RLP-Session": "1" }]);
    const key = await sentWith("rlp_x");
    expect([key.credentials, key.headers]).toEqual(["omit", { Authorization: "Bearer rlp_x" }]);
    expect((await sentWith(null)).headers).toEqual({});
  });
});

describe("the live connection of a session", () => {
  test("gets a new ticket each time that it connects", async () => {
    const sockets: FakeSocket[] = [];
    let made = 0;
    const open = () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    };
    const client = new LiveClient(
      open,
      async () => `rlt_${++made}`,
      () => {},
    );
    for (const token of ["rlt_1", "rlt_2"]) {
      const socket = sockets.at(-1);
      socket?.onopen?.(new Event("open"));
      await Promise.resolve();
      expect(socket?.sent).toEqual([{ type: "auth", token }]);
      socket?.say({ type: "reconnect" });
    }
    client.close();
  });
});

describe("a refused sign-in", () => {
  test("is explained, and an unknown reason is not repeated", () => {
    expect(refusalOf("not_a_member").detail).toContain("roster");
    expect(refusalOf("call 555 now").detail).not.toContain("555");
    expect(refusalOf("constructor").detail).toBe(refusalOf("declined").detail);
  });
});
