import { beforeEach, describe, expect, it, vi } from "vitest";
import { Api } from "../src/api";
import { draftOf, patchOf } from "../src/drafts/annotations";
import { LiveClient } from "../src/live/client";
import { merged, queryOf, RunList, UNFILTERED } from "../src/runs/list";
import type { Training } from "../src/types";
import { FakeSocket } from "./socket";

const run = (id: string, changes: Partial<Training> = {}): Training =>
  ({ id, seq: 1, state: "succeeded", name: null, labels: {}, notes: null, ...changes }) as Training;
const ids = (runs: readonly Training[] | null) => runs?.map(({ id }) => id);

describe("a list of runs", () => {
  let asked: [method: string, path: string, body: unknown][];
  let answers: Map<string, unknown>;
  let list: RunList<Training>;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("document", { hidden: false });
    asked = [];
    answers = new Map();
    const api = new Api("/", "key", undefined, async (path, init) => {
      asked.push([init?.method ?? "", path, init?.body && JSON.parse(String(init.body))]);
      const answer = await answers.get(`${init?.method} ${path}`);
      if (answer === undefined) return Response.json({ code: "not_found", detail: "none" }, { status: 404 });
      return init?.method === "DELETE" ? new Response(null, { status: 204 }) : Response.json(answer);
    });
    const live = new LiveClient(
      () => new FakeSocket(),
      "key",
      () => {},
    );
    list = new RunList<Training>(api, live, "trainings", (document) => document);
    return () => {
      list.close();
      vi.useRealTimers();
      vi.unstubAllGlobals();
    };
  });

  const page = (query: string, items: Training[], next_cursor: string | null = null) =>
    answers.set(`GET /v1/trainings?${query}`, { items, next_cursor });

  it("keeps the platform's order, page after page", async () => {
    page("sort=name&limit=25", [run("b"), run("c")], "c");
    page("sort=name&limit=25&cursor=c", [run("a")]);
    await list.find({ sort: "name" });
    await list.loadMore();
    expect(ids(list.items.value)).toEqual(["b", "c", "a"]);
    expect(list.more.value).toBeNull();
  });

  it("shows what the newest filter finds, though an older answer comes last", async () => {
    let late = (_: unknown) => {};
    answers.set("GET /v1/trainings?search=old&limit=25", new Promise((resolve) => (late = resolve)));
    page("search=new&limit=25", [run("new")]);
    const first = list.find({ search: "old" });
    await list.find({ search: "new" });
    late({ items: [run("old")], next_cursor: null });
    await first;
    expect(ids(list.items.value)).toEqual(["new"]);
  });

  it("drops runs that were deleted elsewhere, but not while one is edited", async () => {
    page("limit=25", [run("b"), run("a")]);
    await list.refresh();
    page("limit=25", [run("a")]);
    list.held = true;
    await list.refresh();
    expect(ids(list.items.value)).toEqual(["b", "a"]);
    list.held = false;
    await list.refresh();
    expect(ids(list.items.value)).toEqual(["a"]);
  });

  it("changes and deletes a run at the platform, then here", async () => {
    page("limit=25", [run("b"), run("a", { seq: 9 })]);
    await list.refresh();
    answers.set("PATCH /v1/runs/a", run("a", { seq: 8, name: "baseline" }));
    answers.set("DELETE /v1/runs/b", true);
    await list.annotate("a", { name: "baseline" });
    await list.remove("b");
    expect(asked.slice(1)).toEqual([
      ["PATCH", "/v1/runs/a", { name: "baseline" }],
      ["DELETE", "/v1/runs/b", undefined],
    ]);
    expect(list.items.value).toMatchObject([{ id: "a", seq: 9, name: "baseline" }]);
  });

  it("keeps a run that the platform does not delete, and says why", async () => {
    page("limit=25", [run("a")]);
    await list.refresh();
    await expect(list.remove("a")).rejects.toMatchObject({ code: "not_found" });
    expect(ids(list.items.value)).toEqual(["a"]);
  });
});

it("asks for what is filtered by, alone", () => {
  expect(queryOf(UNFILTERED).toString()).toBe("");
  const filter = { search: " lunar ", label: "study=lr", state: "failed", submitter: "me", sort: "name" };
  expect(queryOf(filter).toString()).toBe("search=lunar&label=study%3Dlr&state=failed&submitter=me&sort=name");
});

it("takes the order of the answer, and the document that more events are in", () => {
  const found = merged([run("a", { seq: 5 }), run("z")], [run("b"), run("a", { seq: 3, notes: "n" })]);
  expect(found).toMatchObject([{ id: "b" }, { id: "a", seq: 5, notes: "n" }]);
});

describe("annotations being edited", () => {
  const known = run("a", { name: "old", labels: { course: "rl101", study: "a=b" }, notes: "kept" });

  it("change nothing where nothing was changed", () => {
    expect(patchOf(draftOf(known), known)).toEqual({});
  });

  it("set, change and remove", () => {
    const draft = { name: " ", labels: "study = lr=0.1 \n\nnew", notes: "" };
    expect(patchOf(draft, known)).toEqual({
      name: null,
      notes: null,
      labels: { study: "lr=0.1", new: "", course: null },
    });
  });
});
