/** Credentials of new members, as CSV. */
import type { Member } from "../types";

/** New members with the credentials that are shown once, as CSV. Spreadsheets run no text of it as a formula. */
export function credentialsCsv(rows: readonly { member: Member; given: string }[], column: string): string {
  const lines = rows.map(({ member: { external_id, name, email }, given }) => [external_id, name, email, given]);
  return [["external_id", "name", "email", column], ...lines].map((line) => line.map(quote).join(",")).join("\r\n");
}

function quote(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The link that an invitation is accepted with. */
export const invitationLink = (invitation: string, base: string): string => `${base}#invite=${invitation}`;
