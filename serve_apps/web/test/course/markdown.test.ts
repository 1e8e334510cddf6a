import type { Token } from "marked";
import { expect, test } from "vitest";
import { blocks, headingLevels, plain, safeAddress } from "../../src/course/markdown";

test("links lead to the web or to email, nowhere else", () => {
  expect(safeAddress("https://example.org/a?b#c")).toBe("https://example.org/a?b#c");
  expect(safeAddress("mailto:staff@example.org")).toBe("mailto:staff@example.org");
  for (const href of [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "//evil",
    "/v1/keys",
    "#key=x",
  ]) {
    expect(safeAddress(href), href).toBeNull();
  }
});

test("HTML of a statement is a token of text", () => {
  const [first] = blocks("<script>alert(1)</script>\n");
  expect(first?.type).toBe("html");
  expect((first as { text: string }).text).toBe("<script>alert(1)</script>\n");
});

test("headings go down one level at a time", () => {
  const tokens = blocks("## Task\n\n#### Details\n\n## Rules\n\n# Top\n\n### Below\n");
  const levels = headingLevels(tokens as Token[], 2);
  expect(tokens.filter(({ type }) => type === "heading").map((token) => levels.get(token))).toEqual([3, 4, 3, 3, 4]);
});

test("entities are read once", () => {
  expect(plain("a &lt; b &amp;lt; c")).toBe("a < b &lt; c");
});
