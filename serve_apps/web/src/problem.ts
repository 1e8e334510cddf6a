/** Errors, as the API reports them (RFC 9457) and as the page shows them. */
import type { ProblemField } from "./types";

export type FieldError = ProblemField;

export class Problem extends Error {
  override name = "Problem";

  constructor(
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly status = 0,
    readonly errors: FieldError[] = [],
    readonly retryable = false,
    readonly requestId: string | null = null,
  ) {
    super(detail);
  }

  /** Read a problem document; anything else becomes an unknown problem. */
  static from(document: unknown, status: number): Problem {
    const found = (typeof document === "object" && document !== null ? document : {}) as Record<string, unknown>;
    const text = (name: string, otherwise: string) =>
      typeof found[name] === "string" ? (found[name] as string) : otherwise;
    const detail = text("detail", `The platform answered ${status} without saying why.`);
    const listed = Array.isArray(found.errors) ? (found.errors as FieldError[]) : [];
    const errors =
      listed.length > 0 ? listed : typeof found.field === "string" ? [{ field: found.field, message: detail }] : [];
    return new Problem(
      text("code", "unknown"),
      text("title", "Error"),
      detail,
      status,
      errors,
      found.retryable === true,
      typeof found.request_id === "string" ? found.request_id : null,
    );
  }

  static unreachable(): Problem {
    const detail = "No answer. Is the platform running, and are you online?";
    return new Problem("unreachable", "The platform cannot be reached", detail, 0, [], true);
  }

  /** Convert anything that was thrown into a problem. */
  static of(error: unknown): Problem {
    return error instanceof Problem ? error : new Problem("page_error", "The page failed", String(error));
  }

  /** Return the errors that no field of `fields` shows; the detail if no error names a field. */
  besides(fields: ReadonlySet<string>): FieldError[] {
    const listed = this.errors.length > 0 ? this.errors : [{ field: "", message: this.detail }];
    const seen = new Set<string>();
    return listed.filter(({ field, message }) => {
      if (fields.has(field) || seen.has(field + message)) return false;
      return seen.add(field + message);
    });
  }

  /** Return the error of the field `name`, or with `deep` of anything inside it. */
  find(name: string, deep = false): FieldError | null {
    return this.errors.find(({ field }) => field === name || (deep && field.startsWith(`${name}.`))) ?? null;
  }

  /** Return the message for the field `name`, or with `deep` for anything inside it. */
  at(name: string, deep = false): string | null {
    const found = this.find(name, deep);
    if (!found) return null;
    const inside = found.field === name ? "" : `${found.field.slice(name.length + 1)}: `;
    const repeated = `${found.field}: `;
    return inside + (found.message.startsWith(repeated) ? found.message.slice(repeated.length) : found.message);
  }
}
