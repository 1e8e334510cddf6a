/** The name, labels and notes of a run in a list: shown, and edited in place of them. */
import { useState } from "preact/hooks";
import { draftOf, patchOf } from "../drafts/annotations";
import { shortId } from "../format";
import { Problem } from "../problem";
import { isFinal, type RunList } from "../runs/list";
import type { Evaluation, Training } from "../types";
import { Alert, Field, FormProblem } from "./problem";

export function Annotations({ labels, notes }: Evaluation | Training) {
  const entries = Object.entries(labels);
  return (
    <>
      {entries.length > 0 && (
        <p class="labels">
          {entries.map(([key, value]) => (
            <span class="label" key={key}>
              {value ? `${key}=${value}` : key}
            </span>
          ))}
        </p>
      )}
      {notes && <p class="hint settings notes">{notes}</p>}
    </>
  );
}

interface Props<T extends Evaluation | Training> {
  run: T;
  list: RunList<T>;
  onDone: () => void;
}

export function EditAnnotations<T extends Evaluation | Training>({ run, list, onDone }: Props<T>) {
  const [draft, setDraft] = useState(() => draftOf(run));
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const [confirming, setConfirming] = useState(false);
  const attempt = async (action: () => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    try {
      await action();
      onDone();
    } catch (error) {
      setProblem(Problem.of(error));
      setBusy(false);
      setConfirming(false);
    }
  };
  const name = run.name ?? shortId(run.id);
  return (
    <FormProblem.Provider value={problem}>
      <form
        class="annotations"
        aria-label={`Edit ${name}`}
        onSubmit={(event) => {
          event.preventDefault();
          attempt(() => list.annotate(run.id, patchOf(draft, run)));
        }}
      >
        <Alert problem={problem} still />
        <div class="grid">
          <Field name="name" label="Name">
            {(control) => (
              <input
                {...control}
                maxLength={120}
                value={draft.name}
                ref={focused}
                onInput={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
              />
            )}
          </Field>
          <Field name="labels" label="Labels" hint="One a line: key=value" deep>
            {(control) => (
              <textarea
                {...control}
                class="mono"
                rows={3}
                value={draft.labels}
                onInput={(event) => setDraft({ ...draft, labels: event.currentTarget.value })}
              />
            )}
          </Field>
          <Field name="notes" label="Notes">
            {(control) => (
              <textarea
                {...control}
                rows={3}
                value={draft.notes}
                onInput={(event) => setDraft({ ...draft, notes: event.currentTarget.value })}
              />
            )}
          </Field>
        </div>
        {confirming ? (
          <div class="actions" role="alertdialog" aria-label={`Delete ${name}?`}>
            <p>
              <b>Delete {name} for good?</b> Its events, checkpoints and files go with it.
            </p>
            <button type="button" class="danger" disabled={busy} onClick={() => attempt(() => list.remove(run.id))}>
              Delete run
            </button>
            <button type="button" class="secondary" ref={focused} onClick={() => setConfirming(false)}>
              Keep run
            </button>
          </div>
        ) : (
          <div class="actions">
            <button type="submit" disabled={busy}>
              Save
            </button>
            <button type="button" class="secondary" onClick={onDone}>
              Cancel
            </button>
            {isFinal(run) && (
              <button type="button" class="quiet" disabled={busy} onClick={() => setConfirming(true)}>
                Delete…
              </button>
            )}
          </div>
        )}
      </form>
    </FormProblem.Provider>
  );
}

const focused = (element: HTMLElement | null) => element?.focus();
