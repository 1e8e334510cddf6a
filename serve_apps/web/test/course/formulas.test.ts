import katex from "katex";
import type { Token, Tokens } from "marked";
import { describe, expect, test } from "vitest";
import { type FormulaToken, OPTIONS } from "../../src/course/formulas";
import { blocks } from "../../src/course/markdown";

/** The formulas of a text, with `$$` before those that have a line of their own. */
function formulasIn(text: string): string[] {
  const found: string[] = [];
  const walk = (tokens: readonly Token[]) => {
    for (const token of tokens) {
      if (token.type === "formula") {
        const { tex, display } = token as unknown as FormulaToken;
        found.push(display ? `$$${tex}` : tex);
      }
      if ("tokens" in token && token.tokens) walk(token.tokens);
      if (token.type === "list") walk((token as Tokens.List).items);
    }
  };
  walk(blocks(text));
  return found;
}

describe("formulas of a statement", () => {
  test("are found in lines and in lines of their own", () => {
    expect(formulasIn("Maximise $J(\\theta)$, where\n\n$$\nG_t = \\sum_k \\gamma^k R_{t+k}\n$$\n\n- and $x$")).toEqual([
      "J(\\theta)",
      "$$G_t = \\sum_k \\gamma^k R_{t+k}",
      "x",
    ]);
    expect(formulasIn("$a_1$ and $b_1$")).toEqual(["a_1", "b_1"]);
  });

  test("are no prices, escaped dollars or code", () => {
    expect(formulasIn("It costs $5 and $6.")).toEqual([]);
    expect(formulasIn("\\$x$ and `$y$`")).toEqual([]);
    expect(formulasIn("```\n$x$\n```")).toEqual([]);
    expect(formulasIn("$ x $ and $$")).toEqual([]);
  });

  test("end in time, whatever is written", () => {
    expect(formulasIn("$".repeat(20_000))).toEqual([]);
    expect(formulasIn(`$${"\\a".repeat(20_000)}`)).toEqual([]);
  });

  test("become MathML, without links, pictures or styles of their own", () => {
    const drawn = katex.renderToString("\\frac{1}{n}\\sum_i x_i", OPTIONS);
    expect(drawn).toContain("<math");
    expect(drawn).not.toContain("style=");
    for (const tex of [
      "\\href{javascript:alert(1)}{x}",
      "\\includegraphics{https://evil.test/x.png}",
      "\\htmlStyle{a:b}{x}",
    ]) {
      const safe = katex.renderToString(tex, OPTIONS);
      expect(safe).not.toMatch(/<a |<img|href=|src=|style="a/);
    }
    expect(() => katex.renderToString("\\def\\x{\\x\\x}\\x", OPTIONS)).toThrow(/expansions/i);
    expect(katex.renderToString("\\text{<script>alert(1)</script>}", OPTIONS)).not.toContain("<script");
  });
});
