import { expect, test } from "vitest";
import { EVERYBODY, rateOf, sectionsOf, select, summaryOf } from "../../src/course/matrix";
import type { Grade } from "../../src/types";

function grade(external_id: string, points: number | null, changes: Partial<Grade> = {}): Grade {
  return {
    member_id: `mem_${external_id}`,
    external_id,
    name: external_id.toUpperCase(),
    email: "",
    section: "",
    submissions: points === null ? 0 : 1,
    submission_id: points === null ? null : `sub_${external_id}`,
    submitted_at: null,
    verdict: null,
    score: points,
    late_share: 0,
    adjustment: 0,
    points,
    max_points: 4,
    tests:
      points === null ? [] : [{ id: "one", verdict: points > 2 ? "accepted" : "wrong_answer", points, hidden: false }],
    ...changes,
  };
}

const GRADES = [grade("c", 1, { section: "B" }), grade("a", null), grade("b", 4, { section: "A" })];
const ids = (grades: readonly Grade[]) => grades.map(({ external_id }) => external_id);

test("rows are found, and sorted with those without a grade last", () => {
  expect(ids(select(GRADES, EVERYBODY))).toEqual(["a", "b", "c"]);
  expect(ids(select(GRADES, { ...EVERYBODY, order: "-points" }))).toEqual(["b", "c", "a"]);
  expect(ids(select(GRADES, { ...EVERYBODY, order: "points" }))).toEqual(["c", "b", "a"]);
  expect(ids(select(GRADES, { ...EVERYBODY, section: "A" }))).toEqual(["b"]);
  expect(ids(select(GRADES, { ...EVERYBODY, search: " B " }))).toEqual(["b"]);
  expect(ids(select(GRADES, { ...EVERYBODY, failed: "one" })), "who submitted nothing did not fail").toEqual(["c"]);
  expect(sectionsOf(GRADES)).toEqual(["A", "B"]);
});

test("totals count students, and average those with a grade", () => {
  expect(summaryOf(GRADES)).toEqual({ students: 3, submitted: 2, graded: 2, mean: 2.5, median: 2.5 });
  expect(summaryOf([]).mean).toBeNull();
  expect(rateOf({ id: "one", points: 4, hidden: false, passed: 1, graded: 4 })).toBe(0.25);
  expect(rateOf({ id: "one", points: 4, hidden: false, passed: 0, graded: 0 })).toBeNull();
});
