import { describe, expect, test } from "vitest";
import { accepts, isInvitation, takeGiven } from "../src/link";

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

describe("the fragment of the address", () => {
  const taken = (hash: string) => {
    const shown: unknown[] = [];
    const location = { hash, pathname: "/", search: "" } as Location;
    const history = { replaceState: (_state: unknown, _title: string, url: string) => shown.push(url) };
    return [takeGiven(location, history as unknown as History), ...shown];
  };

  test("gives a key or an invitation, and keeps the route alone", () => {
    expect(taken("#key=rlp_mine&/runs")).toEqual([{ key: "rlp_mine" }, "/#/runs"]);
    expect(taken("#invite=rli_mine")).toEqual([{ invitation: "rli_mine" }, "/#/"]);
    expect(taken("#signed-in=1&/assignments/a")).toEqual([{ session: true }, "/#/assignments/a"]);
    expect(taken("#refused=removed")).toEqual([{ refused: "removed" }, "/#/"]);
    expect(taken("#invite=")).toEqual([{ invitation: "" }, "/#/"]);
    expect(taken("#/runs")).toEqual([{}]);
  });

  test("is no invitation where its end is missing", () => {
    expect(isInvitation(`rli_${"x".repeat(43)}`)).toBe(true);
    expect(isInvitation(`rli_${"x".repeat(42)}`)).toBe(false);
  });
});
