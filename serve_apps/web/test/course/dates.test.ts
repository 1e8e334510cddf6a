import { expect, test } from "vitest";
import { attemptsLeft, away, lateRule, nextChange, whyNot } from "../../src/course/dates";
import type { MyStatus } from "../../src/types";

const NOW = Date.parse("2030-01-01T12:00:00Z");
const at = (seconds: number) => new Date(NOW + 1000 * seconds).toISOString();
const mine = (changes: Partial<MyStatus> = {}): MyStatus => ({
  date_state: "open",
  due_at: null,
  closes_at: null,
  attempts: { allowed: true, left: 3, maximum: 10, next_at: null, used: 7 },
  points: null,
  counted_submission: null,
  late_share: 0,
  adjustment: null,
  ...changes,
});

test("a date is never made to look further away than it is", () => {
  expect(away(at(90_000), NOW)).toBe("in 25 hours");
  expect(away(at(2.9 * 86_400), NOW)).toBe("in 2 days");
  expect(away(at(59), NOW)).toBe("in 59 seconds");
  expect(away(at(-7200), NOW)).toBe("2 hours ago");
});

test("the rule for late submissions is said in a sentence", () => {
  const late = { per_day: 0.1, at_most: 0.5, grace_s: 900 };
  expect(lateRule(late, at(0))).toBe(
    "Late submissions lose 10% of their score for each day begun, 50% at most. The first 15 minutes cost nothing.",
  );
  expect(lateRule({ per_day: 0, at_most: 1, grace_s: 0 }, at(0))).toBe("Late submissions lose nothing.");
  expect(lateRule(late, null), "without a date nothing is late").toBeNull();
});

test("why nothing can be submitted is said, and nothing where something can", () => {
  expect(whyNot(mine(), NOW)).toBeNull();
  expect(whyNot(mine({ date_state: "closed", closes_at: at(-60) }), NOW)).toMatch(/^Closed since/);
  const attempts = { allowed: false, left: 0, maximum: 2, next_at: null, used: 2 };
  expect(whyNot(mine({ attempts }), NOW)).toBe("All 2 attempts are used.");
  const pausing = { ...attempts, left: 1, next_at: at(42) };
  expect(whyNot(mine({ attempts: pausing }), NOW)).toBe("Your next attempt is possible in 42 seconds.");
  expect(whyNot(mine({ attempts: pausing }), NOW + 43_000), "the pause has passed").toBeNull();
});

test("attempts and the next change of what is possible", () => {
  expect(attemptsLeft(mine())).toBe("3 of 10");
  expect(attemptsLeft(mine({ attempts: { ...mine().attempts, left: null, maximum: null } }))).toBe("no limit");
  expect(nextChange(mine({ due_at: at(-5), closes_at: at(60) }), NOW)).toBe(NOW + 60_000);
  expect(nextChange(mine(), NOW)).toBeNull();
});
