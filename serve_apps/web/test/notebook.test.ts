import { expect, it } from "vitest";
import { cellsOf } from "../src/runs/notebook";

it("shows a notebook by its cells, those of code counted as errors count them", () => {
  const cells = [
    { cell_type: "markdown", source: ["# Title\n", "text"] },
    { cell_type: "code", source: "a = 1" },
    { cell_type: "code", source: ["b = 2"] },
  ];
  expect(cellsOf(JSON.stringify({ cells }))).toEqual([
    { title: "Text", text: "# Title\ntext" },
    { title: "Cell 1", text: "a = 1" },
    { title: "Cell 2", text: "b = 2" },
  ]);
  for (const text of ["print(1)", "{}", "3"]) expect(cellsOf(text)).toEqual([{ title: "Notebook", text }]);
});
