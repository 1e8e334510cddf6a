import { describe, expect, test } from "vitest";
import { draftOf, extensionOf, NO_EXTENSION } from "../../src/course/extension";
import type { FieldError } from "../../src/problem";

const requestOf = (changes: Partial<typeof NO_EXTENSION>) => {
  const errors: FieldError[] = [];
  const request = extensionOf({ ...NO_EXTENSION, ...changes }, errors);
  return { request, fields: errors.map(({ field }) => field) };
};

describe("an extension", () => {
  test("has dates in the reader's own time zone", () => {
    const { request, fields } = requestOf({ member: "mem_1", due: "2030-02-07T23:59" });
    expect(fields).toEqual([]);
    expect(request.due_at).toBe(new Date(2030, 1, 7, 23, 59).toISOString());
    expect([request.closes_at, request.extra_attempts, request.reason]).toEqual([null, 0, null]);
  });

  test("names a member and gives something", () => {
    expect(requestOf({ due: "2030-02-07T23:59" }).fields).toEqual(["member"]);
    expect(requestOf({ member: "mem_1", reason: "ill" }).fields).toEqual(["due_at"]);
    expect(requestOf({ member: "mem_1", attempts: "two" }).fields).toEqual(["extra_attempts"]);
    expect(requestOf({ member: "mem_1", attempts: "2" }).fields).toEqual([]);
  });

  test("comes back into the form unchanged", () => {
    const draft = { member: "mem_1", due: "2030-02-07T23:59", closes: "", attempts: "2", reason: "illness" };
    const errors: FieldError[] = [];
    const { due_at, closes_at, extra_attempts, reason } = extensionOf(draft, errors);
    const stored = { due_at: due_at ?? null, closes_at: closes_at ?? null, extra_attempts: extra_attempts ?? 0 };
    expect(draftOf("mem_1", { ...stored, reason: reason ?? null })).toEqual(draft);
  });
});
