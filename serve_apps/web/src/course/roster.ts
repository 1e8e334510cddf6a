/** A roster as CSV: its rows as the API takes them, and what came of it as CSV. */
import type { FieldError } from "../problem";
import type { Member, MemberRequest } from "../types";

const COLUMNS = ["external_id", "name", "email", "role", "section", "sub", "key_id"] as const;
type Column = (typeof COLUMNS)[number];

export interface ReadRoster {
  members: MemberRequest[];
  /** What is wrong with the file, in lines of it. */
  errors: FieldError[];
  /** Columns of the file that are not used. */
  unused: string[];
}

/** Read CSV with a line of column names; `,`, `;` and tabs separate. */
export function readRoster(text: string): ReadRoster {
  const rows = parseCsv(text.replace(/^\uFEFF/, "")).filter((row) => row.some((cell) => cell.trim()));
  const head = (rows[0] ?? []).map((cell) =>
    cell
      .trim()
      .toLowerCase()
      .replaceAll(/[\s-]+/g, "_"),
  );
  const unused = head.filter((name) => name && !COLUMNS.some((column) => column === name));
  const errors: FieldError[] = [];
  if (!head.includes("external_id")) {
    const found = head.filter(Boolean).join(", ") || "nothing";
    errors.push({ field: "file", message: `The first line must name the column external_id; it has ${found}.` });
    return { members: [], errors, unused };
  }
  const members = rows.slice(1).map((row, index) => {
    const cell = (name: Column): string => (row[head.indexOf(name)] ?? "").trim();
    const line = index + 2;
    const member: MemberRequest = { external_id: cell("external_id") };
    if (!member.external_id) errors.push({ field: "file", message: `Line ${line} has no external_id.` });
    for (const name of ["name", "email", "section", "sub", "key_id"] as const) {
      if (head.includes(name) && cell(name)) member[name] = cell(name);
    }
    const role = cell("role").toLowerCase();
    if (role === "learner" || role === "staff") member.role = role;
    else if (role)
      errors.push({ field: "file", message: `Line ${line}: the role is "${role}"; use learner or staff.` });
    return member;
  });
  if (members.length === 0) errors.push({ field: "file", message: "There is no line below the column names." });
  return { members, errors, unused };
}

/** Rows and cells of CSV. Quotes may hold separators and line ends; a doubled quote is one. */
export function parseCsv(text: string): string[][] {
  const separator = separatorOf(text);
  const rows: string[][] = [[]];
  let cell = "";
  let quoted = false;
  const end = () => {
    rows.at(-1)?.push(cell);
    cell = "";
  };
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (sign === '"' && cell === "") quoted = true;
    else if (sign === separator) end();
    else if (sign === "\n") {
      end();
      rows.push([]);
    } else if (sign !== "\r") cell += sign;
  }
  end();
  return rows;
}

/** The sign that the first line separates its names by. */
function separatorOf(text: string): string {
  const first = text.split("\n", 1)[0] ?? "";
  const count = (sign: string) => first.split(sign).length;
  return [";", "\t"].reduce((best, sign) => (count(sign) > count(best) ? sign : best), ",");
}

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
