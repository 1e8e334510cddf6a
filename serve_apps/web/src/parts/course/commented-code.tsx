/** The files of a submission, with the comments of staff at their lines. Staff comment on a line by its number. */
import { useEffect, useState } from "preact/hooks";
import type { Piece } from "../../course/highlight";
import { dateTime } from "../../format";
import { pathOf } from "../../runs/submission-feed";
import { contentOf } from "../../runs/submitted";
import { isStaff } from "../../session";
import type { Comment, SourceFile, SubmissionDetail } from "../../types";
import { CommentForm } from "./comment-form";

interface Props {
  submission: SubmissionDetail;
  reload: () => Promise<void>;
}

export function CommentedCode({ submission, reload }: Props) {
  const { content, comments } = submission;
  const [chosen, select] = useState<string | null>(null);
  const file = content.find(({ path }) => path === chosen) ?? content[0];
  if (!file) return <section class="card code" />;
  return (
    <section class="card code" aria-labelledby="files">
      <header class="card-head">
        <h2 id="files">Files</h2>
        {isStaff.value && <span class="hint">Click the number of a line to comment on it.</span>}
      </header>
      {content.length > 1 && (
        <div class="file-tabs">
          <div class="file-list" role="tablist" aria-label="Files of the submission">
            {content.map(({ path }) => (
              <button
                key={path}
                type="button"
                role="tab"
                class="quiet"
                aria-selected={path === file.path}
                onClick={() => select(path)}
              >
                {path}
                {said(comments, path)}
              </button>
            ))}
          </div>
        </div>
      )}
      <Lines
        key={file.path}
        file={file}
        comments={comments.filter(({ path }) => path === file.path)}
        path={pathOf(submission)}
        reload={reload}
      />
    </section>
  );
}

function said(comments: readonly Comment[], path: string): string {
  const count = comments.filter((comment) => comment.path === path).length;
  return count > 0 ? ` (${count} ${count === 1 ? "comment" : "comments"})` : "";
}

interface LinesProps {
  file: SourceFile;
  comments: readonly Comment[];
  path: string;
  reload: () => Promise<void>;
}

function Lines({ file, comments, path, reload }: LinesProps) {
  /** Line that is being commented on; 0: the whole file. */
  const [open, setOpen] = useState<number | null>(null);
  /** Line whose number is reached with Tab; the arrow keys lead to the others. */
  const [reached, setReached] = useState(1);
  const staff = isStaff.value;
  const text = contentOf(file.content);
  const lines = useColours(file.path, text);
  const done = () => {
    setOpen(null);
    void reload();
  };
  const form = (line: number) => (
    <CommentForm submission={path} file={file.path} line={line || null} onDone={done} onCancel={() => setOpen(null)} />
  );
  const whole = comments.filter(({ line }) => line === null);
  return (
    <>
      {/* biome-ignore lint/a11y: what scrolls must be reachable by keyboard, and is no landmark */}
      <div class="lines" role="group" tabIndex={0} aria-label={file.path}>
        {lines.map((pieces, index) => {
          const number = index + 1;
          const own = comments.filter(({ line }) => line === number);
          return (
            <div class={own.length > 0 ? "line commented" : "line"} key={number}>
              {staff ? (
                <button
                  type="button"
                  class="at"
                  tabIndex={number === reached ? 0 : -1}
                  aria-label={`Comment on line ${number}`}
                  onFocus={() => setReached(number)}
                  onKeyDown={moveByArrow}
                  onClick={() => setOpen(number)}
                >
                  {number}
                </button>
              ) : (
                <span class="at">{number}</span>
              )}
              <code>
                {pieces.map((piece, at) => (
                  <span key={at} class={piece.classes}>
                    {piece.text}
                  </span>
                ))}
              </code>
              {own.length > 0 && <Comments comments={own} />}
              {open === number && form(number)}
            </div>
          );
        })}
      </div>
      {(whole.length > 0 || staff) && (
        <div class="pad whole-file">
          <Comments comments={whole} />
          {open === 0
            ? form(0)
            : staff && (
                <button type="button" class="secondary" onClick={() => setOpen(0)}>
                  Comment on the file
                </button>
              )}
        </div>
      )}
    </>
  );
}

function moveByArrow(event: KeyboardEvent): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const line = (event.currentTarget as HTMLElement).closest(".line");
  const other = event.key === "ArrowDown" ? line?.nextElementSibling : line?.previousElementSibling;
  other?.querySelector<HTMLElement>("button.at")?.focus();
  event.preventDefault();
}

function Comments({ comments }: { comments: readonly Comment[] }) {
  if (comments.length === 0) return null;
  return (
    <ul class="comments">
      {comments.map(({ at, text, by }) => (
        <li key={at}>
          <p class="hint">
            <span title={by}>Course staff</span>, {dateTime(at)}
          </p>
          <p class="said">{text}</p>
        </li>
      ))}
    </ul>
  );
}

/** The lines of a file: plain at first, and of other languages than Python. */
function useColours(path: string, text: string): Piece[][] {
  const [coloured, setColoured] = useState<Piece[][] | null>(null);
  useEffect(() => {
    if (!path.endsWith(".py")) return;
    import("../../course/highlight").then(
      ({ highlight }) => setColoured(highlight(text)),
      () => {},
    );
  }, [path, text]);
  return coloured ?? text.split("\n").map((line) => [{ text: line, classes: "" }]);
}
