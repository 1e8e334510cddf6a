/** Buttons that download what an evaluation has made. */
import { bytes } from "../format";
import { Problem } from "../problem";
import { current } from "../session";
import type { Evaluation } from "../types";
import { save } from "./save";

interface KeptFilesProps {
  files: Evaluation["files"];
  onProblem: (problem: Problem) => void;
}

/** Files that the evaluation has made. */
export function KeptFiles({ files, onProblem }: KeptFilesProps) {
  const download = ({ path, file }: Evaluation["files"][number]) =>
    current()
      .api.download(`v1/files/${encodeURIComponent(file)}/content`)
      .then(
        (content) => save(content, path.split("/").at(-1) ?? path),
        (error) => onProblem(Problem.of(error)),
      );
  const several = new Set(files.map(({ test }) => test)).size > 1;
  return (
    <p class="pad kept">
      {files.map((kept) => (
        <button key={`${kept.test} ${kept.path}`} type="button" class="secondary" onClick={() => download(kept)}>
          Download {kept.path}
          {several && kept.test !== null && ` of ${kept.test}`} <span class="hint">{bytes(kept.size_bytes)}</span>
        </button>
      ))}
    </p>
  );
}
