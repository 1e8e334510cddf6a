/** Submitted programs and tests: as this tab sent them, otherwise as the platform returns them. */
import { useEffect, useState } from "preact/hooks";
import type { FormRequest } from "../drafts/submission";
import { current } from "../session";
import type { JsonValue, Submission } from "../types";

const KEPT = 20;
const submissions = new Map<string, Submission>();

export function remember(id: string, request: FormRequest): void {
  keep({
    id,
    source: request.source,
    source_name: request.source_name ?? "main.py",
    files: request.files ?? [],
    data: request.data ?? [],
    grader: request.grader,
    checker: request.checker as Submission["checker"],
    limits: request.limits,
    image: request.image ?? null,
    tests: request.tests.map(({ id, points, hidden, group = null, ...given }) => ({
      id,
      points,
      hidden,
      group,
      given: given as Record<string, JsonValue>,
    })),
  });
}

/** The text of a part of a program; of an uploaded file, its id. */
export const contentOf = (content: Submission["source"]): string =>
  typeof content === "string" ? content : `(uploaded file ${content.file})`;

function keep(submission: Submission): void {
  submissions.set(submission.id, submission);
  if (submissions.size > KEPT) submissions.delete(submissions.keys().next().value ?? "");
}

/**
 * Return a submission; null without an `id`, until it has been read, and if it cannot be read: results are shown without it.
 * One component of a page calls this and passes the submission on, so that all parts of the page show it at once.
 */
export function useSubmission(id: string | null): Submission | null {
  const { api } = current();
  const [fetched, setFetched] = useState<Submission | null>(null);
  const found = id === null ? null : (submissions.get(id) ?? fetched);
  useEffect(() => {
    if (id === null || found?.id === id) return;
    let left = false;
    api.get<Submission>(`v1/evaluations/${encodeURIComponent(id)}/submission`).then(
      (submission) => {
        keep(submission);
        if (!left) setFetched(submission);
      },
      () => {},
    );
    return () => {
      left = true;
    };
  }, [api, id]);
  return found?.id === id ? found : null;
}
