/** One test case being written. */
import type { TestDraft } from "../drafts/submission";
import { type Control, Field, GroupError } from "./problem";

interface Props {
  test: TestDraft;
  index: number;
  grader: "stdio" | "function";
  onChange: (changes: Partial<TestDraft>) => void;
  onRemove: (() => void) | null;
}

export function TestFields({ test, index, grader, onChange, onRemove }: Props) {
  const at = (name: string) => `tests.${index}.${name}`;
  const area = (name: "stdin" | "expectedStdout" | "args" | "expected", disabled = false) =>
    function area(control: Control) {
      return (
        <textarea
          {...control}
          class="mono"
          rows={2}
          spellcheck={false}
          disabled={disabled}
          value={disabled ? "" : test[name]}
          onInput={(event) => onChange({ [name]: event.currentTarget.value })}
        />
      );
    };
  return (
    <li class="test-fields">
      <fieldset>
        <legend class="visually-hidden">Test {test.id}</legend>
        <div class="row">
          <Field name={at("id")} label="Name">
            {(control) => (
              <input {...control} value={test.id} onInput={(event) => onChange({ id: event.currentTarget.value })} />
            )}
          </Field>
          <Field name={at("points")} label="Points" class="narrow">
            {(control) => (
              <input
                {...control}
                inputMode="decimal"
                value={test.points}
                onInput={(event) => onChange({ points: event.currentTarget.value })}
              />
            )}
          </Field>
          <label class="check" title="Of a hidden test, learners see only verdict and points. Staff see everything.">
            <input
              type="checkbox"
              checked={test.hidden}
              onChange={(event) => onChange({ hidden: event.currentTarget.checked })}
            />
            Hidden
          </label>
          {onRemove && (
            <button type="button" class="quiet push" onClick={onRemove} aria-label={`Remove test ${test.id}`}>
              Remove
            </button>
          )}
        </div>
        {grader === "stdio" ? (
          <div class="row">
            <Field name={at("stdin")} label="Input">
              {area("stdin")}
            </Field>
            <div class="field">
              <Field name={at("expected_stdout")} label="Expected output">
                {area("expectedStdout", test.anyOutput)}
              </Field>
              <label class="check small">
                <input
                  type="checkbox"
                  checked={test.anyOutput}
                  onChange={(event) => onChange({ anyOutput: event.currentTarget.checked })}
                />
                Any output: only the exit status counts
              </label>
            </div>
          </div>
        ) : (
          <div class="row">
            <Field name={at("args")} label="Arguments, a JSON list" deep>
              {area("args")}
            </Field>
            <Field name={at("expected")} label="Expected value, JSON" deep>
              {area("expected")}
            </Field>
          </div>
        )}
        <GroupError name={`tests.${index}`} />
      </fieldset>
    </li>
  );
}
