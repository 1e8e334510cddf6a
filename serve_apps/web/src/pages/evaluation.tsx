import { useState } from "preact/hooks";
import { storeDraft, storedDraft } from "../drafts/stored";
import { copyOf, isTouched, type SubmissionDraft } from "../drafts/submission";
import { dateTime, shortId } from "../format";
import { Heading } from "../parts/heading";
import { Journal } from "../parts/journal";
import { Load } from "../parts/load";
import { Alert } from "../parts/problem";
import { EvaluationResult } from "../parts/result";
import { save } from "../parts/save";
import { useSubmitters } from "../parts/submitters";
import { TextBlock } from "../parts/text";
import { Problem } from "../problem";
import { go } from "../router";
import { EvaluationFeed } from "../runs/feed";
import { cellsOf } from "../runs/notebook";
import { contentOf, useSubmission } from "../runs/submitted";
import { current, evaluatesFreely } from "../session";
import type { Evaluation, Submission } from "../types";

const NOTEBOOK = ".ipynb";

const follow = (live: ConstructorParameters<typeof EvaluationFeed>[0], document: Evaluation) =>
  new EvaluationFeed(live, document);

export function EvaluationPage({ id }: { id: string }) {
  const submission = useSubmission(id);
  const submitters = useSubmitters();
  return (
    <Load path={`v1/evaluations/${encodeURIComponent(id)}`} make={follow}>
      {(feed) => (
        <>
          <div class="page-head">
            <div>
              <Heading title={`Submission ${shortId(id)}`}>
                Submission <span class="id">{shortId(id)}</span>
              </Heading>
              <p class="hint">
                Submitted {submitted(feed.document.value, submitters.name)} · <code>{id}</code>
              </p>
            </div>
            <div class="actions">
              {submission && evaluatesFreely.value && !submission.source_name.endsWith(NOTEBOOK) && (
                <button type="button" class="secondary" onClick={() => edit(submission)}>
                  Edit a copy
                </button>
              )}
            </div>
          </div>
          <EvaluationResult feed={feed} submission={submission} />
          {submission && <Program submission={submission} />}
          <Journal entries={feed.journal.value} />
        </>
      )}
    </Load>
  );
}

function submitted({ created_at, submitter }: Evaluation, name: (submitter: string | null) => string | null): string {
  const by = name(submitter);
  return by ? `by ${by}, ${dateTime(created_at)}` : dateTime(created_at);
}

function Program({ submission }: { submission: Submission }) {
  const { id, source, source_name, files, grader, image } = submission;
  const [problem, setProblem] = useState<Problem | null>(null);
  const download = async () => {
    setProblem(null);
    try {
      if (typeof source === "string" && files.length === 0) save(new Blob([source]), source_name);
      else
        save(await current().api.download(`v1/evaluations/${encodeURIComponent(id)}/submission/archive`), `${id}.zip`);
    } catch (error) {
      setProblem(Problem.of(error));
    }
  };
  return (
    <section class="card" aria-labelledby="program">
      <header class="card-head">
        <h2 id="program">Program</h2>
        <span class="hint">
          {grader.entry
            ? `function ${grader.entry}`
            : grader.kind === "stdio"
              ? "reads input, prints output"
              : grader.kind}
          {image && ` · image ${image}`}
        </span>
        <button type="button" class="secondary push" onClick={download}>
          Download
        </button>
      </header>
      <Alert problem={problem} />
      <div class="pad program">
        {source_name.endsWith(NOTEBOOK) && typeof source === "string" ? (
          cellsOf(source).map(({ title, text }, index) => <TextBlock key={index} title={title} text={text} />)
        ) : (
          <TextBlock title={source_name} text={contentOf(source)} />
        )}
        {files.map(({ path, content }) => (
          <TextBlock key={path} title={path} text={contentOf(content)} />
        ))}
      </div>
    </section>
  );
}

/** Take what was submitted into the editor. What somebody wrote there is not thrown away without a question. */
function edit(submission: Submission): void {
  const draft = storedDraft<SubmissionDraft>("submission");
  const lost = draft && isTouched(draft) && draft.source !== submission.source;
  if (lost && !window.confirm("Replace the program in your editor by a copy of this submission?")) return;
  storeDraft("submission", copyOf(submission));
  go("/evaluate");
}
