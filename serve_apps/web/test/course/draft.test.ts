import { expect, test } from "vitest";
import { copyOf, draftOf, equal, missing, toRequest } from "../../src/course/draft";
import type { SubmissionDetail } from "../../src/types";

const FILES = [
  { path: "main.py", content: "print(1)\n" },
  { path: "helper.py", content: "X = 1\n" },
  { path: "weights.bin", content: { file: "file_1" } },
];

const asked = (version: number, ...required_files: string[]) => ({
  version,
  required_files: required_files.length > 0 ? required_files : ["main.py"],
});

test("an empty main.py is sent only where it is asked for", () => {
  const draft = draftOf([{ path: "main.ipynb", content: "{}" }]);
  expect(toRequest(draft, asked(1, "main.ipynb")).files).toEqual([{ path: "main.ipynb", content: "{}" }]);
  expect(toRequest(draft, asked(1)).files?.map(({ path }) => path)).toEqual(["main.py", "main.ipynb"]);
});

test("starter files become a draft, and the draft a submission of the same files", () => {
  const draft = draftOf(FILES);
  expect(draft.source).toBe("print(1)\n");
  expect(draft.files.map(({ path }) => path)).toEqual(["helper.py"]);
  expect(toRequest(draft, asked(3))).toEqual({ files: FILES, version: 3 });
  expect(equal(draft, draftOf(FILES))).toBe(true);
  expect(equal(draft, { ...draft, source: "" })).toBe(false);
});

test("an archive is the whole submission", () => {
  const draft = { ...draftOf(FILES), archive: { name: "all.zip", file: "file_9" } };
  expect(toRequest(draft, asked(1))).toEqual({ archive: { file: "file_9" }, version: 1 });
  expect(missing(draft, ["main.py", "agent.py"]), "the platform looks into it").toEqual([]);
  const content = [{ path: "submission.zip", content: { file: "file_9" } }];
  const copy = copyOf({ content, files: [] } as unknown as SubmissionDetail);
  expect(copy.archive).toEqual({ name: "submission.zip", file: "file_9" });
});

test("required files that are missing are named", () => {
  expect(missing(draftOf(FILES), ["main.py", "agent.py"])).toEqual(["agent.py"]);
});
