/** Markdown of a statement as tokens: what of it is shown, and where its links may lead. Nothing of it becomes HTML. */
import { Marked, type Token, type Tokens } from "marked";
import { formulas } from "./formulas";

const SAFE = new Set(["http:", "https:", "mailto:"]);

const markdown = new Marked({ gfm: true, extensions: [...formulas] });

/** The blocks of `text`. */
export const blocks = (text: string): Token[] => markdown.lexer(text);

/** The address that a link of the statement may have; null for anything but the web and email. */
export function safeAddress(href: string): string | null {
  try {
    return SAFE.has(new URL(href).protocol) ? href : null;
  } catch {
    return null;
  }
}

/**
 * Levels of the headings of a document below a heading of level `above`, in order. None is skipped: readers that jump
 * from heading to heading would take the gap for a missing part.
 */
export function headingLevels(tokens: readonly Token[], above: number): Map<Token, number> {
  const levels = new Map<Token, number>();
  const open: { depth: number; level: number }[] = [];
  for (const token of tokens) {
    if (token.type !== "heading") continue;
    const { depth } = token as Tokens.Heading;
    while ((open.at(-1)?.depth ?? 0) >= depth) open.pop();
    const level = Math.min(6, (open.at(-1)?.level ?? above) + 1);
    open.push({ depth, level });
    levels.set(token, level);
  }
  return levels;
}

const ENTITIES: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

/** Text with the characters that its entities stand for. */
export const plain = (text: string): string =>
  text.replace(/&(?:amp|lt|gt|quot|#39);/g, (found) => ENTITIES[found] ?? found);
