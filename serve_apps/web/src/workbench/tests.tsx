/** The tests of a submission, and how the program is put to them. */
import { newTest, type SubmissionDraft, withGrader } from "../drafts/submission";
import { Field, GroupError } from "../parts/problem";
import { TestFields } from "../parts/test-fields";

interface Props {
  draft: SubmissionDraft;
  onChange: (changes: Partial<SubmissionDraft>) => void;
}

export function Tests({ draft, onChange }: Props) {
  return (
    <section class="card" aria-labelledby="tests">
      <header class="card-head">
        <h2 id="tests">Tests</h2>
        <button
          type="button"
          class="secondary push"
          onClick={() => onChange({ tests: [...draft.tests, newTest(draft.tests)] })}
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
                onChange={() => onChange(withGrader(draft, kind))}
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
                onInput={(event) => onChange({ entry: event.currentTarget.value })}
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
              onChange({ tests: draft.tests.map((other) => (other === test ? { ...test, ...changes } : other)) })
            }
            onRemove={
              draft.tests.length > 1 ? () => onChange({ tests: draft.tests.filter((other) => other !== test) }) : null
            }
          />
        ))}
      </ol>
    </section>
  );
}
