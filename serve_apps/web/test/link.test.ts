import { describe, expect, test } from "vitest";
import { accepts } from "../src/link";

describe("a key in a link", () => {
  const asked: string[] = [];
  const answering = (answer: boolean) => (question: string) => {
    asked.push(question);
    return answer;
  };

  test("signs in where nobody is", () => {
    expect(accepts(null, "rlp_theirs", answering(false))).toBe(true);
    expect(asked).toEqual([]);
  });

  test("replaces a signed-in user's only with their consent", () => {
    expect(accepts("rlp_mine", "rlp_theirs", answering(false))).toBe(false);
    expect(accepts("rlp_mine", "rlp_theirs", answering(true))).toBe(true);
    expect(asked.length).toBe(2);
    expect(asked[0]).toContain("another API key");
  });

  test("changes nothing where it is the same", () => {
    asked.length = 0;
    expect(accepts("rlp_mine", "rlp_mine", answering(true))).toBe(false);
    expect(asked).toEqual([]);
  });
});
