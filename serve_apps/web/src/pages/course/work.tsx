import { useEffect, useMemo, useState } from "preact/hooks";
import { useNow } from "../../course/clock";
import { lateRule, share, whyNot } from "../../course/dates";
import { draftName, equal, missing, starterOf, toRequest } from "../../course/draft";
import { contentAt, MAIN, withContent } from "../../drafts/attached";
import { useDraft } from "../../drafts/stored";
import { Facts } from "../../parts/course/facts";
import { Markdown } from "../../parts/course/markdown";
import { SubmissionResult } from "../../parts/course/submission-result";
import { FileTabs } from "../../parts/files";
import { useSubmit } from "../../parts/form";
import { LazyEditor } from "../../parts/lazy-editor";
import { Alert, FormProblem, GroupError } from "../../parts/problem";
import { TextBlock } from "../../parts/text";
import { SubmissionFeed } from "../../runs/submission-feed";
import { contentOf } from "../../runs/submitted";
import { marksOf } from "../../runs/traceback";
import { current } from "../../session";
import type { AssignmentView, SubmissionInfo } from "../../types";
import type { SectionProps } from "./assignment";

/** The statement, and the learner's program beside it. */
export function WorkPage({ assignment, reload }: SectionProps) {
  const { mine, provided } = assignment;
  return (
    <>
      {mine ? <Facts assignment={assignment} mine={mine} /> : <NoMember />}
      <div class="workbench assignment">
        <div class="side">
          <section class="card" aria-labelledby="statement">
            <header class="card-head">
              <h2 id="statement">Statement</h2>
            </header>
            <div class="pad">
              {assignment.statement.trim() ? (
                <Markdown text={assignment.statement} />
              ) : (
                <p class="hint">It has no text.</p>
              )}
            </div>
          </section>
          {provided.length > 0 && (
            <details class="card">
              <summary class="card-head">
                <h2>Files put beside your program</h2>
              </summary>
              <div class="pad program">
                {provided.map(({ path, content }) => (
                  <TextBlock key={path} title={path} text={contentOf(content)} />
                ))}
              </div>
            </details>
          )}
        </div>
        <Workbench key={assignment.name} assignment={assignment} reload={reload} />
      </div>
    </>
  );
}

const NoMember = () => (
  <p class="banner calm">
    You see this assignment as staff. To try it as a learner does, add yourself to the <a href="#/people">people</a> of
    the course, as staff: your submissions are judged, not graded.
  </p>
);

function Workbench({ assignment, reload }: { assignment: AssignmentView; reload: () => Promise<void> }) {
  const { api } = current();
  const { name, mine, required_files } = assignment;
  const starter = useMemo(() => starterOf(assignment), [assignment.name, assignment.version]);
  const [draft, change] = useDraft(draftName(name), starter);
  const [feed, setFeed] = useState<SubmissionFeed | null>(null);
  useEffect(() => () => feed?.close(), [feed]);
  const now = useNow(1000);
  const refusal = mine ? whyNot(mine, now) : "Only members of the course can submit.";
  const { busy, problem, submit } = useSubmit(
    (key) =>
      api.post<SubmissionInfo>(
        `v1/assignments/${encodeURIComponent(name)}/submissions`,
        toRequest(draft, assignment),
        key,
      ),
    (made) => {
      setFeed(new SubmissionFeed(api, made, () => void reload()));
      void reload();
    },
    () => void reload(), // there may be a newer version, or no attempt left
  );
  const [chosen, select] = useState(required_files.includes(MAIN) ? MAIN : (required_files[0] ?? MAIN));
  const selected = [...draft.files, ...draft.data].some(({ path }) => path === chosen) ? chosen : MAIN;
  const content = contentAt(draft, selected);
  const document = feed?.document.value;
  const marks = useMemo(() => (document ? marksOf(document) : []), [document]);
  const lacking = missing(draft, required_files);
  const restore = () => {
    if (!window.confirm("Replace everything in the editor by the starter files?")) return;
    change(starter);
    select(MAIN);
  };
  return (
    <FormProblem.Provider value={problem}>
      <form class="side" onSubmit={submit} noValidate>
        <section class="card code" aria-labelledby="program">
          <header class="card-head">
            <h2 id="program">Your program</h2>
            <span class="hint keys">Python · Esc, then Tab leaves the editor</span>
            {!equal(draft, starter) && (
              <button type="button" class="quiet push" onClick={restore}>
                Start over
              </button>
            )}
          </header>
          <FileTabs draft={draft} selected={selected} onSelect={select} onChange={change}>
            {content === null ? (
              <p class="hint pad">
                {selected === MAIN
                  ? "The program is the archive: main.py at its top, or in its only folder."
                  : `An uploaded file, which your program reads as "${selected}".`}
              </p>
            ) : (
              <LazyEditor
                key={selected}
                label={selected === MAIN ? "Program, in Python" : selected}
                value={content}
                marks={selected === MAIN ? marks : []}
                onChange={(text) => change(withContent(draft, selected, text))}
                onSubmit={submit}
              />
            )}
          </FileTabs>
          <GroupError name="files" />
          <GroupError name="archive" />
          <Alert problem={problem} still />
          {lacking.length > 0 && <p class="hint pad">Still missing: {lacking.join(", ")}. Add it before you submit.</p>}
          <div class="card-foot">
            <Price assignment={assignment} refusal={refusal} />
            <button type="submit" class="push" disabled={busy || refusal !== null}>
              {busy ? "Submitting…" : "Submit"}
            </button>
          </div>
        </section>
        {feed && <SubmissionResult key={feed.info.value.id} feed={feed} reveal />}
      </form>
    </FormProblem.Provider>
  );
}

/** What a submission costs if it is made now, said beside the button. */
function Price({ assignment: { mine, late }, refusal }: { assignment: AssignmentView; refusal: string | null }) {
  if (refusal !== null) return <p class="price">{refusal}</p>;
  if (!mine) return null;
  const { attempts, late_share, date_state } = mine;
  const one =
    attempts.left === null ? null : `Uses 1 of ${attempts.left} ${attempts.left === 1 ? "attempt" : "attempts"}.`;
  const lost =
    late_share > 0
      ? `Late now: it loses ${share(late_share)} of its score.`
      : date_state === "late"
        ? `Past due; a submission now loses nothing${late.grace_s > 0 && late.per_day > 0 ? " yet" : ""}.`
        : null;
  return (
    <p class="price">
      {lost && <strong class={late_share > 0 ? "warning" : ""}>{lost} </strong>}
      {one ?? (lost ? null : lateRule(late, mine.due_at))}
    </p>
  );
}
