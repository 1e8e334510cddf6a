/** How outputs are compared with what is expected, and the limits of each test. */
import {
  CHECKERS,
  type CheckerKind,
  CONVENTIONS,
  type Convention,
  LIMITS,
  type SubmissionDraft,
} from "../drafts/submission";
import { Field, GroupError } from "../parts/problem";

interface Props {
  draft: SubmissionDraft;
  onChange: (changes: Partial<SubmissionDraft>) => void;
}

export function CheckerAndLimits({ draft, onChange }: Props) {
  const checker = CHECKERS.find(([kind]) => kind === draft.checker);
  return (
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
              onChange={(event) => onChange({ checker: event.currentTarget.value as CheckerKind })}
            >
              {CHECKERS.map(([kind, label]) => (
                <option value={kind} key={kind}>
                  {label}
                </option>
              ))}
            </select>
          )}
        </Field>
        {draft.checker === "floats" && <Tolerances draft={draft} onChange={onChange} />}
        {draft.checker === "program" && <CheckerProgram draft={draft} onChange={onChange} />}
        {LIMITS.map(([name, label]) => (
          <Field name={`limits.${name}`} label={label} key={name}>
            {(control) => (
              <input
                {...control}
                inputMode="decimal"
                value={draft.limits[name] ?? ""}
                onInput={(event) => onChange({ limits: { ...draft.limits, [name]: event.currentTarget.value } })}
              />
            )}
          </Field>
        ))}
        <GroupError name="limits" />
        <label class="check">
          <input
            type="checkbox"
            checked={draft.stopOnFailure}
            onChange={(event) => onChange({ stopOnFailure: event.currentTarget.checked })}
          />
          Skip the remaining tests after the first one that is not accepted
        </label>
      </div>
    </details>
  );
}

function Tolerances({ draft, onChange }: Props) {
  const fields = [
    ["absTol", "checker.abs_tol", "Absolute tolerance"],
    ["relTol", "checker.rel_tol", "Relative tolerance"],
  ] as const;
  return (
    <>
      {fields.map(([key, name, label]) => (
        <Field name={name} label={label} key={key}>
          {(control) => (
            <input
              {...control}
              inputMode="decimal"
              value={draft[key]}
              onInput={(event) => onChange({ [key]: event.currentTarget.value })}
            />
          )}
        </Field>
      ))}
    </>
  );
}

function CheckerProgram({ draft, onChange }: Props) {
  const convention = CONVENTIONS.find(([name]) => name === draft.convention);
  return (
    <>
      <Field name="checker.convention" label="Convention" hint={convention?.[2]}>
        {(control) => (
          <select
            {...control}
            value={draft.convention}
            onChange={(event) => onChange({ convention: event.currentTarget.value as Convention })}
          >
            {CONVENTIONS.map(([name, label]) => (
              <option value={name} key={name}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field name="checker.source" label="Checker, in Python" class="whole">
        {(control) => (
          <textarea
            {...control}
            class="mono"
            rows={8}
            spellcheck={false}
            value={draft.checkerSource}
            onInput={(event) => onChange({ checkerSource: event.currentTarget.value })}
          />
        )}
      </Field>
    </>
  );
}
