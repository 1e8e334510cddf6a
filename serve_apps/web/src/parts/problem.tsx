/** Problems where people see them: above what they did, and at the field that they are about. */
import { createContext, type JSX } from "preact";
import { useContext, useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { FieldError, Problem } from "../problem";

export const FormProblem = createContext<Problem | null>(null);

interface AlertProps {
  problem: Problem | null;
  onRetry?: () => void;
  /** Do not scroll: what people were writing stays in sight. */
  still?: boolean;
}

/**
 * What went wrong, said once: the errors that a field of the same form shows are only counted here. The first of those
 * fields takes the focus, else the alert.
 */
export function Alert({ problem, onRetry, still = false }: AlertProps) {
  const box = useRef<HTMLDivElement>(null);
  const [shown, setShown] = useState<ReadonlySet<string>>(NONE);
  useLayoutEffect(() => {
    const form = problem && box.current?.closest("form");
    const found = [...(form?.querySelectorAll<HTMLElement>("[data-error-of]") ?? [])];
    setShown(new Set(found.map((element) => element.dataset.errorOf ?? "")));
  }, [problem]);
  useEffect(() => {
    if (!problem) return;
    const invalid = box.current?.closest("form")?.querySelector<HTMLElement>("[aria-invalid=true]");
    const folded = invalid?.closest("details");
    if (folded) folded.open = true;
    (invalid ?? box.current)?.focus({ preventScroll: still });
    if (still) box.current?.scrollIntoView({ block: "nearest" });
  }, [problem, still]);
  if (!problem) return null;
  const errors = problem.besides(shown);
  return (
    <div class="alert" role="alert" tabIndex={-1} ref={box}>
      <strong>{problem.title}</strong>
      {shown.size > 0 && (
        <p>{shown.size === 1 ? "Correct the marked field." : `Correct the ${shown.size} marked fields.`}</p>
      )}
      {errors.length === 1 ? (
        <p>{errors[0]?.field ? message(errors[0]) : (errors[0]?.message ?? "")}</p>
      ) : (
        errors.length > 1 && (
          <ul>
            {errors.map((error) => (
              <li key={error.field + error.message}>{message(error)}</li>
            ))}
          </ul>
        )
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

const NONE: ReadonlySet<string> = new Set();

/** An error with the field that it is about, which the platform's own detail may name already. */
function message({ field, message }: FieldError): JSX.Element | string {
  return message.startsWith(`${field}: `) || message.startsWith(`${field} `) || !field ? (
    message
  ) : (
    <>
      <code>{field}</code> {message}
    </>
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
  const problem = useContext(FormProblem);
  const message = problem?.at(name, deep) ?? null;
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
        <p class="error" id={`${id}-error`} data-error-of={problem?.find(name, deep)?.field}>
          {message}
        </p>
      )}
    </div>
  );
}

/** The error of a group of fields as a whole. */
export function GroupError({ name }: { name: string }) {
  const message = useContext(FormProblem)?.at(name);
  return message ? (
    <p class="error" data-error-of={name}>
      {message}
    </p>
  ) : null;
}
