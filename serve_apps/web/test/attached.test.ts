import { describe, expect, it } from "vitest";
import { attach, contentAt, MAIN, withContent, without } from "../src/drafts/attached";
import { newSubmission, toRequest } from "../src/drafts/submission";
import type { FileInfo } from "../src/types";

const uploaded: string[] = [];
const upload = async (file: File): Promise<FileInfo> => {
  uploaded.push(file.name);
  const media_type = file.name.endsWith(".zip") ? "application/zip" : "application/octet-stream";
  return { id: `file_${file.name}`, name: file.name, media_type } as FileInfo;
};
const file = (name: string, content: BlobPart) => new File([content], name);
const draft = newSubmission();

describe("files that are dropped on a submission", () => {
  it("small text becomes part of the program, and is not uploaded", async () => {
    const changes = await attach(draft, [file("helper.py", "A = 1\n"), file("notes.txt", "é")], upload);
    expect(changes).toEqual({
      files: [
        { path: "helper.py", content: "A = 1\n" },
        { path: "notes.txt", content: "é" },
      ],
    });
    expect(uploaded).toEqual([]);
  });

  it("main.py is the program itself", async () => {
    const changes = await attach({ ...draft, archive: { name: "a", file: "b" } }, [file(MAIN, "print(2)")], upload);
    expect(changes).toEqual({ source: "print(2)", archive: null });
  });

  it("what is no text, or is large, is uploaded as data", async () => {
    const large = "x".repeat(300_000);
    const dropped = [file("w.bin", new Uint8Array([0, 255])), file("big.csv", large), file("nul.txt", "a\0b")];
    expect(await attach(draft, dropped, upload)).toEqual({
      data: ["w.bin", "big.csv", "nul.txt"].map((path) => ({ path, file: `file_${path}` })),
    });
  });

  it("a ZIP archive is the whole program", async () => {
    const changes = await attach(draft, [file("hw1.zip", new Uint8Array([80, 75, 3, 4, 255]))], upload);
    expect(changes).toEqual({ archive: { name: "hw1.zip", file: "file_hw1.zip" } });
    const request = toRequest({ ...draft, ...changes });
    expect(request.source).toEqual({ file: "file_hw1.zip" });
    expect(contentAt({ ...draft, ...changes }, MAIN)).toBeNull();
  });

  it("a file of the same name is replaced, whatever it was", async () => {
    const data = [{ path: "a", file: "file_old" }];
    const changes = await attach({ ...draft, data }, [file("a", "text")], upload);
    expect(changes).toEqual({ data: [], files: [{ path: "a", content: "text" }] });
    const back = await attach({ ...draft, ...changes }, [file("a", new Uint8Array([0]))], upload);
    expect(back).toEqual({ files: [], data: [{ path: "a", file: "file_a" }] });
  });

  it("files are shown, edited, removed and sent", () => {
    const files = [{ path: "h.py", content: "A" }];
    const data = [{ path: "w", file: "file_w" }];
    const full = { ...draft, files, data };
    expect([contentAt(full, MAIN), contentAt(full, "h.py"), contentAt(full, "w")]).toEqual([draft.source, "A", null]);
    expect(withContent(full, "h.py", "B")).toEqual({ files: [{ path: "h.py", content: "B" }] });
    expect(withContent(full, MAIN, "C")).toEqual({ source: "C" });
    expect(without(full, "h.py")).toEqual({ files: [], data });
    expect(without(full, "w")).toEqual({ files, data: [] });
    expect(toRequest(full)).toMatchObject({ files, data });
  });
});
