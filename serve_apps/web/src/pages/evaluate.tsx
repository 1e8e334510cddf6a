import { useEffect, useMemo, useState } from "preact/hooks";
import { contentAt, MAIN, withContent } from "../drafts/attached";
import { useDraft } from "../drafts/stored";
import { type FormRequest, newSubmission, type SubmissionDraft, toRequest, toRunRequest } from "../drafts/submission";
import { FileTabs } from "../parts/files";
import { useSubmit } from "../parts/form";
import { Heading } from "../parts/heading";
import { LazyEditor } from "../parts/lazy-editor";
import { NotAllowed } from "../parts/not-allowed";
import { Alert, FormProblem, GroupError } from "../parts/problem";
import { EvaluationResult } from "../parts/result";
import { EvaluationFeed } from "../runs/feed";
import { remember, useSubmission } from "../runs/submitted";
import { marksOf } from "../runs/traceback";
import { current, evaluatesFreely, may } from "../session";
import type { Evaluation } from "../types";
import { CheckerAndLimits } from "../workbench/checker";
import { ImageField } from "../workbench/image";
import { RunInput, RunOutput } from "../workbench/run";
import { Tests } from "../workbench/tests";

export function EvaluatePage() {
  if (!may("evaluate")) return <NoScope />;
  return evaluatesFreely.value ? <Workbench /> : <OnlyAssignments />;
}

const OnlyAssignments = () => (
  <>
    <Heading title="Evaluate code" />
    <p>
      Learners of this course do not evaluate programs of their own: they submit to assignments.{" "}
      <a href="#/assignments">Go to the assignments</a>.
    </p>
  </>
);

function NoScope() {
  return (
    <NotAllowed title="Evaluate code" what="submit code" scope="evaluate">
      <a href="#/runs">Go to the runs</a>.
    </NotAllowed>
  );
}

type Purpose = "run" | "submit";

interface Started {
  purpose: Purpose;
  feed: EvaluationFeed;
}

function Workbench() {
  const [draft, change] = useDraft("submission", newSubmission());
  const [asked, ask] = useState<Purpose>("submit");
  const [started, start] = useState<Started | null>(null);
  useEffect(() => () => started?.feed.close(), [started]);
  const running = useStart("run", () => toRunRequest(draft), start);
  const submitting = useStart("submit", () => toRequest(draft), start);
  const busy = running.busy || submitting.busy;
  const run = () => {
    ask("run");
    void running.submit();
  };
  const submit = (event?: Event) => {
    ask("submit");
    void submitting.submit(event);
  };
  const problem = asked === "run" ? running.problem : submitting.problem;
  const document = started?.feed.document.value;
  const submission = useSubmission(document?.id ?? null);
  const marks = useMemo(() => (document ? marksOf(document) : []), [document]);
  return (
    <FormProblem.Provider value={problem}>
      <form onSubmit={submit} noValidate>
        <div class="page-head">
          <Heading title="Evaluate code" />
        </div>
        <div class="workbench">
          <section class="card code" aria-labelledby="program">
            <header class="card-head">
              <h2 id="program">Program</h2>
              <span class="hint push">Python · Esc, then Tab leaves the editor</span>
            </header>
            <Program draft={draft} onChange={change} marks={marks} onSubmit={submit} />
            <GroupError name="source" />
            <GroupError name="files" />
            <GroupError name="data" />
            <Alert problem={problem} still />
            <div class="run-fields">
              <ImageField value={draft.image} onChange={(image) => change({ image })} />
              <FormProblem.Provider value={asked === "run" ? problem : null}>
                <RunInput value={draft.input} onChange={(input) => change({ input })} />
              </FormProblem.Provider>
            </div>
            <div class="card-foot">
              <span class="hint keys">Ctrl + Enter also submits</span>
              <button type="button" class="secondary push" disabled={busy} onClick={run}>
                {running.busy ? "Starting…" : "Run"}
              </button>
              <button type="submit" disabled={busy}>
                {submitting.busy ? "Submitting…" : "Submit"}
              </button>
            </div>
          </section>
          <div class="side">
            {started && (
              <>
                {started.purpose === "run" ? (
                  <RunOutput key={document?.id} feed={started.feed} />
                ) : (
                  <EvaluationResult key={document?.id} feed={started.feed} submission={submission} reveal />
                )}
                <p class="hint">
                  <a href={`#/evaluations/${document?.id}`}>{started.purpose === "run" ? "Open run" : "Open result"}</a>
                </p>
              </>
            )}
            <FormProblem.Provider value={asked === "run" ? null : problem}>
              <Tests draft={draft} onChange={change} />
            </FormProblem.Provider>
            <CheckerAndLimits draft={draft} onChange={change} />
          </div>
        </div>
      </form>
    </FormProblem.Provider>
  );
}

/** Sending what `make` returns; `done` is given the evaluation's feed, or null once it is refused. */
function useStart(purpose: Purpose, make: () => FormRequest, done: (started: Started | null) => void) {
  const { api, live } = current();
  return useSubmit(
    async (key) => {
      const request = make();
      const evaluation = await api.post<Evaluation>("v1/evaluations", request, key);
      remember(evaluation.id, request);
      return evaluation;
    },
    (evaluation) => done({ purpose, feed: new EvaluationFeed(live, evaluation) }),
    () => done(null), // a result of an earlier program beside a refusal would be taken for this one's
  );
}

interface ProgramProps {
  draft: SubmissionDraft;
  onChange: (changes: Partial<SubmissionDraft>) => void;
  marks: ReturnType<typeof marksOf>;
  onSubmit: () => void;
}

function Program({ draft, onChange, marks, onSubmit }: ProgramProps) {
  const [chosen, select] = useState(MAIN);
  const known = [...draft.files, ...draft.data].some(({ path }) => path === chosen);
  const selected = known ? chosen : MAIN;
  const content = contentAt(draft, selected);
  return (
    <FileTabs draft={draft} selected={selected} onSelect={select} onChange={onChange}>
      {content === null ? (
        <p class="hint pad">
          {selected === MAIN
            ? "The program is the archive: main.py at its top, or in its only folder."
            : `The program reads this uploaded file as "${selected}".`}
        </p>
      ) : (
        <LazyEditor
          key={selected}
          label={selected === MAIN ? "Program, in Python" : selected}
          value={content}
          marks={selected === MAIN ? marks : []}
          onChange={(text) => onChange(withContent(draft, selected, text))}
          onSubmit={onSubmit}
        />
      )}
    </FileTabs>
  );
}
