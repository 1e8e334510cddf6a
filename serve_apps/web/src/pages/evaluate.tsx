import { useEffect, useMemo, useState } from "preact/hooks";
import { contentAt, MAIN, withContent } from "../drafts/attached";
import { useDraft } from "../drafts/stored";
import {
  CHECKERS,
  type CheckerKind,
  LIMITS,
  newSubmission,
  newTest,
  toRequest,
  withGrader,
} from "../drafts/submission";
import { FileTabs } from "../parts/files";
import { useSubmit } from "../parts/form";
import { Heading } from "../parts/heading";
import { LazyEditor } from "../parts/lazy-editor";
import { Alert, Field, FormProblem, GroupError } from "../parts/problem";
import { EvaluationResult } from "../parts/result";
import { TestFields } from "../parts/test-fields";
import { EvaluationFeed } from "../runs/feed";
import { remember, useSubmission } from "../runs/submitted";
import { marksOf } from "../runs/traceback";
import { current, may } from "../session";
import type { Evaluation } from "../types";

export function EvaluatePage() {
  return may("evaluate") ? <Workbench /> : <NotAllowed />;
}

function NotAllowed() {
  return (
    <>
      <Heading title="Evaluate code" />
      <p>
        Your API key cannot submit code: it lacks the scope <code>evaluate</code>. Ask whoever gave it to you for one
        that has it. <a href="#/runs">Go to the runs</a>
      </p>
    </>
  );
}

function Workbench() {
  const { api, live } = current();
  const [draft, change] = useDraft("submission", newSubmission());
  const [feed, setFeed] = useState<EvaluationFeed | null>(null);
  useEffect(() => () => feed?.close(), [feed]);
  const { busy, problem, submit } = useSubmit(
    async (key) => {
      const request = toRequest(draft);
      const evaluation = await api.post<Evaluation>("v1/evaluations", request, key);
      remember(evaluation.id, request);
      return evaluation;
    },
    (evaluation) => setFeed(new EvaluationFeed(live, evaluation)),
    () => setFeed(null), // a result of an earlier program beside a refusal would be taken for this one's
  );
  const document = feed?.document.value;
  const submission = useSubmission(document?.id ?? null);
  const marks = useMemo(() => (document ? marksOf(document) : []), [document]);
  const [chosen, select] = useState(MAIN);
  const known = [...draft.files, ...draft.data].some(({ path }) => path === chosen);
  const selected = known ? chosen : MAIN;
  const content = contentAt(draft, selected);
  const checker = CHECKERS.find(([kind]) => kind === draft.checker);
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
            <FileTabs draft={draft} selected={selected} onSelect={select} onChange={change}>
              {content === null ? (
                <p class="hint pad">
                  {selected === MAIN
                    ? "The program is the archive: main.py at its top, or in its only folder."
                    : `The program reads this uploaded file as "${selected}".`}
                </p>
              ) : (
                <LazyEditor
                  key={`${draft.grader} ${selected}`}
                  label={selected === MAIN ? "Program, in Python" : selected}
                  value={content}
                  marks={selected === MAIN ? marks : []}
                  onChange={(text) => change(withContent(draft, selected, text))}
                  onSubmit={submit}
                />
              )}
            </FileTabs>
            <GroupError name="source" />
            <GroupError name="files" />
            <GroupError name="data" />
            <Alert problem={problem} still />
            <div class="card-foot">
              <span class="hint keys">Ctrl + Enter also submits</span>
              <button type="submit" class="push" disabled={busy}>
                {busy ? "Submitting…" : "Submit"}
              </button>
            </div>
          </section>
          <div class="side">
            {feed && (
              <>
                <EvaluationResult key={feed.document.value.id} feed={feed} submission={submission} reveal />
                <p class="hint">
                  <a href={`#/evaluations/${feed.document.value.id}`}>Open result</a>
                </p>
              </>
            )}
            <section class="card" aria-labelledby="tests">
              <header class="card-head">
                <h2 id="tests">Tests</h2>
                <button
                  type="button"
                  class="secondary push"
                  onClick={() => change({ tests: [...draft.tests, newTest(draft.tests)] })}
                >
                  Add a test
                </button>
              </header>
              <GroupError name="tests" />
              <div class="pad">
                <fieldset class="choice">
                  <legend>How the program is run</legend>
                  {(["stdio", "function"] as const).map((kind) => (
                    <label key={kind}>
                      <input
                        type="radio"
                        name="grader"
                        checked={draft.grader === kind}
                        onChange={() => change(withGrader(draft, kind))}
                      />
                      {kind === "stdio" ? "Reads input, prints output" : "A function is called"}
                    </label>
                  ))}
                </fieldset>
                {draft.grader === "function" && (
                  <Field
                    name="grader.entry"
                    label="Function"
                    hint="The program is loaded without any input, then this function is called once for each test."
                  >
                    {(control) => (
                      <input
                        {...control}
                        class="mono"
                        value={draft.entry}
                        onInput={(event) => change({ entry: event.currentTarget.value })}
                      />
                    )}
                  </Field>
                )}
              </div>
              <ol class="test-list">
                {draft.tests.map((test, index) => (
                  <TestFields
                    key={test.key}
                    test={test}
                    index={index}
                    grader={draft.grader}
                    onChange={(changes) =>
                      change({ tests: draft.tests.map((other) => (other === test ? { ...test, ...changes } : other)) })
                    }
                    onRemove={
                      draft.tests.length > 1
                        ? () => change({ tests: draft.tests.filter((other) => other !== test) })
                        : null
                    }
                  />
                ))}
              </ol>
            </section>
            <details class="card">
              <summary class="card-head">
                <h2>Checker and limits</h2>
              </summary>
              <div class="pad grid">
                <Field name="checker" label="Checker" hint={checker?.[2]}>
                  {(control) => (
                    <select
                      {...control}
                      value={draft.checker}
                      onChange={(event) => change({ checker: event.currentTarget.value as CheckerKind })}
                    >
                      {CHECKERS.map(([kind, label]) => (
                        <option value={kind} key={kind}>
                          {label}
                        </option>
                      ))}
                    </select>
                  )}
                </Field>
                {draft.checker === "floats" && (
                  <>
                    <Field name="checker.abs_tol" label="Absolute tolerance">
                      {(control) => (
                        <input
                          {...control}
                          inputMode="decimal"
                          value={draft.absTol}
                          onInput={(event) => change({ absTol: event.currentTarget.value })}
                        />
                      )}
                    </Field>
                    <Field name="checker.rel_tol" label="Relative tolerance">
                      {(control) => (
                        <input
                          {...control}
                          inputMode="decimal"
                          value={draft.relTol}
                          onInput={(event) => change({ relTol: event.currentTarget.value })}
                        />
                      )}
                    </Field>
                  </>
                )}
                {LIMITS.map(([name, label]) => (
                  <Field name={`limits.${name}`} label={label} key={name}>
                    {(control) => (
                      <input
                        {...control}
                        inputMode="decimal"
                        value={draft.limits[name] ?? ""}
                        onInput={(event) => change({ limits: { ...draft.limits, [name]: event.currentTarget.value } })}
                      />
                    )}
                  </Field>
                ))}
                <GroupError name="limits" />
                <label class="check">
                  <input
                    type="checkbox"
                    checked={draft.stopOnFailure}
                    onChange={(event) => change({ stopOnFailure: event.currentTarget.checked })}
                  />
                  Skip the remaining tests after the first one that is not accepted
                </label>
              </div>
            </details>
          </div>
        </div>
      </form>
    </FormProblem.Provider>
  );
}
