/** A comparison as CSV (RFC 4180), a value a row: first the bands of the groups, then the runs. */
import type { Comparison } from "../types";

type Cell = string | number | null;

export function csvOf({ groups, metric, x }: Comparison): string {
  const rows: Cell[][] = [["group", "run", "seed", x, metric, "low", "high", "runs"]];
  for (const { title, band } of groups) {
    band.x.forEach((at, index) => {
      const [iqm, low, high] = [band.iqm, band.low, band.high].map((column) => column[index] ?? null);
      rows.push([title, null, null, at, iqm ?? null, low ?? null, high ?? null, band.runs[index] ?? null]);
    });
  }
  for (const { title, runs } of groups) {
    for (const run of runs) {
      run.x.forEach((at, index) => {
        rows.push([title, run.id, run.seed, at, run.y[index] ?? null, null, null, null]);
      });
    }
  }
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value: Cell): string {
  if (typeof value !== "string") return value === null ? "" : String(value);
  // a spreadsheet would run text that begins like a formula
  const text = /^[=+@\t\r-]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
