/** Formulas of a statement, in LaTeX: `$…$` in a line, `$$…$$` in a line of their own. A price in dollars is no formula. */
import type { KatexOptions } from "katex";
import type { TokenizerExtension } from "marked";

export interface FormulaToken {
  type: "formula";
  raw: string;
  tex: string;
  display: boolean;
}

const DISPLAY = /^\$\$((?:\\[\s\S]|[^\\$])+)\$\$/;
/** No space inside the dollars at either end, and no digit behind: as pandoc and Jupyter read them. */
const IN_LINE = /^\$(?![\s$])((?:\\[^\n]|[^\\$\n])*[^\s\\$]|[^\s\\$])\$(?!\d)/;

function token(src: string): FormulaToken | undefined {
  const display = DISPLAY.exec(src);
  const match = display ?? IN_LINE.exec(src);
  const tex = match?.[1]?.trim();
  if (!match || !tex) return undefined;
  return { type: "formula", raw: match[0], tex, display: display !== null };
}

export const formulas: readonly TokenizerExtension[] = [
  {
    name: "formula",
    level: "inline",
    start: (src) => src.indexOf("$"),
    tokenizer: token,
  },
];

/**
 * MathML, which browsers draw themselves: it needs neither fonts nor styles of its own, and screen readers read it. A
 * formula makes no links and loads nothing.
 */
export const OPTIONS: KatexOptions = {
  output: "mathml",
  trust: false,
  strict: "ignore",
  throwOnError: true,
  maxExpand: 500,
  maxSize: 20,
};
