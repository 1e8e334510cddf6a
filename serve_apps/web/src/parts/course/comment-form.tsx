/** A comment of staff, being written. */
import { useEffect, useRef, useState } from "preact/hooks";
import { current } from "../../session";
import type { Comment, CommentRequest } from "../../types";
import { useSubmit } from "../form";
import { Alert, Field, FormProblem } from "../problem";

interface Props {
  /** Path of the submission in the API. */
  submission: string;
  file: string;
  line: number | null;
  onDone: () => void;
  onCancel: () => void;
}

export function CommentForm({ submission, file, line, onDone, onCancel }: Props) {
  const { api } = current();
  const [text, setText] = useState("");
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => box.current?.focus(), []);
  const { busy, problem, submit } = useSubmit(() => {
    const request: CommentRequest = { path: file, line, text };
    return api.post<Comment>(`${submission}/comments`, request);
  }, onDone);
  const where = line === null ? file : `line ${line}`;
  return (
    <FormProblem.Provider value={problem}>
      <form class="comment-form" onSubmit={submit} noValidate>
        <Field name="text" label={`Comment on ${where}`} hint="The learner sees it. A comment cannot be changed later.">
          {(control) => (
            <textarea
              {...control}
              ref={box}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
              onKeyDown={(event) => event.key === "Escape" && onCancel()}
            />
          )}
        </Field>
        <Alert problem={problem} still />
        <div class="actions">
          <button type="submit" disabled={busy || !text.trim()}>
            {busy ? "Saving…" : "Add comment"}
          </button>
          <button type="button" class="quiet" onClick={onCancel}>
            Cancel
          </button>
        </div>
      </form>
    </FormProblem.Provider>
  );
}
