/** Python in pieces to colour, line by line. Loaded when code is first shown. */
import { pythonLanguage } from "@codemirror/lang-python";
import { classHighlighter, highlightCode } from "@lezer/highlight";

export interface Piece {
  text: string;
  classes: string;
}

export function highlight(code: string): Piece[][] {
  const lines: Piece[][] = [[]];
  highlightCode(
    code,
    pythonLanguage.parser.parse(code),
    classHighlighter,
    (text, classes) => lines.at(-1)?.push({ text, classes }),
    () => lines.push([]),
  );
  return lines;
}
