/** Notebooks as people read them: one cell after the other. */

interface Cell {
  cell_type?: unknown;
  source?: unknown;
}

/** The cells of a notebook, those of code with the numbers that errors give them; the text itself if it is none. */
export function cellsOf(text: string): { title: string; text: string }[] {
  let cells: unknown;
  try {
    cells = (JSON.parse(text) as { cells?: unknown }).cells;
  } catch {
    cells = null;
  }
  if (!Array.isArray(cells)) return [{ title: "Notebook", text }];
  let number = 0;
  return (cells as Cell[]).map(({ cell_type, source }) => {
    const lines = Array.isArray(source) ? source : [source];
    const code = cell_type === "code";
    if (code) number += 1;
    return { title: code ? `Cell ${number}` : "Text", text: lines.filter((line) => typeof line === "string").join("") };
  });
}
