import { expect, test } from "vitest";
import { compareFiles } from "../../src/course/difference";

test("changed lines come with their numbers in both files", () => {
  const before = [{ path: "main.py", content: "a\nb\nc\n" }];
  const after = [{ path: "main.py", content: "a\nB\nc\nd\n" }];
  const [file] = compareFiles(before, after);
  expect(file?.change).toBe("changed");
  expect(file?.hunks.flat().map(({ kind, text, before, after }) => [kind, text, before, after])).toEqual([
    ["same", "a", 1, 1],
    ["removed", "b", 2, null],
    ["added", "B", null, 2],
    ["same", "c", 3, 3],
    ["added", "d", null, 4],
  ]);
});

test("files that come and go, stay, or are no text", () => {
  const uploaded = { file: "file_1" };
  const before = [
    { path: "old.py", content: "x\n" },
    { path: "same.py", content: "y\n" },
    { path: "weights.bin", content: uploaded },
  ];
  const after = [
    { path: "same.py", content: "y\n" },
    { path: "new.py", content: "z\n" },
    { path: "weights.bin", content: { file: "file_2" } },
  ];
  const found = compareFiles(before, after);
  expect(found.map(({ path, change }) => [path, change])).toEqual([
    ["old.py", "removed"],
    ["same.py", "same"],
    ["weights.bin", "changed"],
    ["new.py", "added"],
  ]);
  expect(found[2]?.note).toMatch(/not compared line by line/);
  expect(found[2]?.hunks).toEqual([]);
});

test("a missing line end at the end of a file is no line", () => {
  const [file] = compareFiles([{ path: "a", content: "x" }], [{ path: "a", content: "x\ny" }]);
  expect(file?.hunks.flat().every(({ text }) => !text.includes("No newline"))).toBe(true);
});
