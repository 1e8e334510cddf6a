/** Extensions of members: what the form holds, and the request that it makes. */
import { parseNumber } from "../drafts/submission";
import type { FieldError } from "../problem";
import type { Extension, ExtensionOutput, Member } from "../types";

export interface ExtensionDraft {
  member: string;
  /** Dates as the browser's control has them: local time, without a zone; empty: as for all. */
  due: string;
  closes: string;
  attempts: string;
  reason: string;
}

export const NO_EXTENSION: ExtensionDraft = { member: "", due: "", closes: "", attempts: "", reason: "" };

/** The request that a draft makes; what is wrong is added to `errors`. */
export function extensionOf(draft: ExtensionDraft, errors: FieldError[]): Extension {
  const request: Extension = {
    due_at: moment("due_at", draft.due, errors),
    closes_at: moment("closes_at", draft.closes, errors),
    extra_attempts: draft.attempts.trim() ? parseNumber("extra_attempts", draft.attempts, errors) : 0,
    reason: draft.reason.trim() || null,
  };
  if (!draft.member) errors.push({ field: "member", message: "Choose a member." });
  if (errors.length === 0 && !request.due_at && !request.closes_at && !request.extra_attempts) {
    errors.push({ field: "due_at", message: "Give a later date, or further attempts." });
  }
  return request;
}

/** The draft that changes an extension. */
export function draftOf(member: string, extension: ExtensionOutput): ExtensionDraft {
  return {
    member,
    due: control(extension.due_at),
    closes: control(extension.closes_at),
    attempts: extension.extra_attempts ? String(extension.extra_attempts) : "",
    reason: extension.reason ?? "",
  };
}

/** Members as they are listed and chosen, by name. */
export const named = ({ name, external_id }: Pick<Member, "name" | "external_id">): string =>
  name ? `${name} (${external_id})` : external_id;

function moment(field: string, text: string, errors: FieldError[]): string | null {
  if (!text) return null;
  const date = new Date(text);
  if (!Number.isNaN(date.getTime())) return date.toISOString();
  errors.push({ field, message: "Give a date and a time." });
  return null;
}

/** A time as the browser's control has it: local, to the minute. */
function control(text: string | null | undefined): string {
  if (!text) return "";
  const date = new Date(text);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
