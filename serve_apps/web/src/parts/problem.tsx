/** Problems where people see them: above what they did, and at the field that they are about. */
import { createContext, type JSX } from "preact";
import { useContext, useEffect, useId, useRef } from "preact/hooks";
import type { Problem } from "../problem";

export const FormProblem = createContext<Problem | null>(null);

/** The problem as a whole. Takes the focus when it appears, unless a field of the same form has it. */
export function Alert({ problem, onRetry }: { problem: Problem | null; onRetry?: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!problem) return;
    const invalid = box.current?.closest("form")?.querySelector<HTMLElement>("[aria-invalid=true]");
    const folded = invalid?.closest("details");
    if (folded) folded.open = true;
    (invalid ?? box.current)?.focus();
  }, [problem]);
  if (!problem) return null;
  const listed = problem.errors.length > 1;
  return (
    <div class="alert" role="alert" tabIndex={-1} ref={box}>
      <strong>{problem.title}</strong>
      {listed ? (
        <ul>
          {problem.errors.map(({ field, message }) => (
            <li key={field + message}>
              {field && <code>{field}</code>} {message}
            </li>
          ))}
        </ul>
      ) : (
        <p>{problem.detail}</p>
      )}
      {problem.requestId && problem.status >= 500 && <p class="hint">Request {problem.requestId}</p>}
      {onRetry && (
        <button type="button" class="quiet" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

export interface Control {
  id: string;
  name: string;
  "aria-describedby"?: string;
  "aria-invalid"?: "true";
}

interface FieldProps {
  name: string;
  label: string;
  hint?: string | undefined;
  /** Show errors of anything inside this field, too. */
  deep?: boolean;
  class?: string;
  children: (control: Control) => JSX.Element;
}

/** A labelled control; `name` is its path in the request, by which the API's errors find it. */
export function Field({ name, label, hint, deep = false, class: more = "", children }: FieldProps) {
  const id = useId();
  const message = useContext(FormProblem)?.at(name, deep) ?? null;
  const control: Control = { id, name };
  const described = [hint && `${id}-hint`, message && `${id}-error`].filter(Boolean).join(" ");
  if (described) control["aria-describedby"] = described;
  if (message) control["aria-invalid"] = "true";
  return (
    <div class={`field ${more}`}>
      <label for={id}>{label}</label>
      {children(control)}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {message && (
        <p class="error" id={`${id}-error`}>
          {message}
        </p>
      )}
    </div>
  );
}

/** The error of a group of fields as a whole. */
export function GroupError({ name }: { name: string }) {
  const message = useContext(FormProblem)?.at(name);
  return message ? <p class="error">{message}</p> : null;
}
