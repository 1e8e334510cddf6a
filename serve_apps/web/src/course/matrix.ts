/** Grades as a matrix of students and tests: which rows are shown, in which order, and what their numbers say. */
import type { Grade, TestRate } from "../types";

export type Order = "name" | "points" | "-points" | "section";

export interface MatrixFilter {
  search: string;
  section: string;
  /** Id of a test: only students who did not pass it. Empty: all. */
  failed: string;
  order: Order;
}

export const EVERYBODY: MatrixFilter = { search: "", section: "", failed: "", order: "name" };

export function select(grades: readonly Grade[], { search, section, failed, order }: MatrixFilter): Grade[] {
  const wanted = search.trim().toLowerCase();
  const found = grades.filter(
    (grade) =>
      (!wanted || [grade.name, grade.external_id, grade.email].some((text) => text.toLowerCase().includes(wanted))) &&
      (!section || grade.section === section) &&
      (!failed || (grade.submission_id !== null && !passes(grade, failed))),
  );
  return found.toSorted(COMPARE[order]);
}

const passes = ({ tests }: Grade, id: string): boolean =>
  tests.some((mark) => mark.id === id && mark.verdict === "accepted");

const titleOf = ({ name, external_id }: Grade): string => name || external_id;
const byName = (a: Grade, b: Grade): number => titleOf(a).localeCompare(titleOf(b));
/** Those without a grade come last in both orders. */
const byPoints =
  (sign: number) =>
  (a: Grade, b: Grade): number => {
    if (a.points === null || b.points === null)
      return Number(a.points === null) - Number(b.points === null) || byName(a, b);
    return sign * (a.points - b.points) || byName(a, b);
  };

const COMPARE: Record<Order, (a: Grade, b: Grade) => number> = {
  name: byName,
  points: byPoints(1),
  "-points": byPoints(-1),
  section: (a, b) => a.section.localeCompare(b.section) || byName(a, b),
};

export const sectionsOf = (grades: readonly Grade[]): string[] =>
  [...new Set(grades.map(({ section }) => section).filter(Boolean))].sort();

export interface Summary {
  students: number;
  submitted: number;
  graded: number;
  mean: number | null;
  median: number | null;
}

export function summaryOf(grades: readonly Grade[]): Summary {
  const points = grades.flatMap((grade) => (grade.points === null ? [] : [grade.points])).sort((a, b) => a - b);
  const middle = Math.floor(points.length / 2);
  const even = points.length % 2 === 0;
  return {
    students: grades.length,
    submitted: grades.filter(({ submissions }) => submissions > 0).length,
    graded: points.length,
    mean: points.length === 0 ? null : points.reduce((sum, one) => sum + one, 0) / points.length,
    median:
      points.length === 0
        ? null
        : even
          ? ((points[middle - 1] ?? 0) + (points[middle] ?? 0)) / 2
          : (points[middle] ?? 0),
  };
}

/** Share of the graded students that passed a test; null where none is graded. */
export const rateOf = ({ passed, graded }: TestRate): number | null => (graded === 0 ? null : passed / graded);
