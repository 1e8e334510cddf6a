import { describe, expect, it } from "vitest";
import { nameOf, readNames } from "../src/runs/submitters";

const answers: Record<string, unknown> = {
  "v1/members": {
    items: [
      { id: "mem_ann", name: "Ann Lee", external_id: "a1" },
      { id: "mem_bob", name: "", external_id: "b2" },
    ],
  },
  "v1/keys": {
    items: [
      { id: "key_first", owner: null, name: "laptop" },
      { id: "key_second", owner: "key_first", name: "laptop, rotated" },
      { id: "key_ann", owner: "mem_ann", name: "a1" },
    ],
  },
};
const api = (refused: string[] = []) => {
  const asked: string[] = [];
  const get = async (path: string) => {
    asked.push(path);
    if (refused.includes(path)) throw new Error("not allowed");
    return answers[path];
  };
  return { asked, get: get as <T>(path: string) => Promise<T> };
};

describe("names of submitters", () => {
  it("are those of members and of keys, of rotated keys the newest", async () => {
    const names = await readNames(api(), true);
    expect(Object.fromEntries(names)).toEqual({ mem_ann: "Ann Lee", mem_bob: "b2", key_first: "laptop, rotated" });
  });

  it("are read without keys by staff who may not list them", async () => {
    const asking = api();
    expect([...(await readNames(asking, false)).keys()]).toEqual(["mem_ann", "mem_bob"]);
    expect(asking.asked).toEqual(["v1/members"]);
  });

  it("are left out where the platform refuses them", async () => {
    expect([...(await readNames(api(["v1/members"]), true)).keys()]).toEqual(["key_first", "mem_ann"]);
    expect((await readNames(api(["v1/members", "v1/keys"]), true)).size).toBe(0);
  });

  it("say you, a name, or the end of an id", () => {
    const names = new Map([["mem_ann", "Ann Lee"]]);
    expect(nameOf("mem_ann", names, "mem_ann")).toBe("you");
    expect(nameOf("mem_ann", names, "key_1")).toBe("Ann Lee");
    expect(nameOf("key_01m8n2j05bedqrf6kenhvetket", names, null)).toBe("…nhvetket");
  });
});
