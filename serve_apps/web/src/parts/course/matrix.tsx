/** The matrix of students and tests, with the share of students that passed each test, and its filters. */
import { addressOf } from "../../course/address";
import { share } from "../../course/dates";
import { type MatrixFilter, type Order, rateOf, sectionsOf } from "../../course/matrix";
import { measure, words } from "../../format";
import type { Grade, Grades, TestMark, TestRate } from "../../types";
import { Points } from "./marks";

interface FiltersProps {
  grades: Grades;
  filter: MatrixFilter;
  onChange: (changes: Partial<MatrixFilter>) => void;
}

const ORDERS: [order: Order, label: string][] = [
  ["name", "By name"],
  ["-points", "Most points first"],
  ["points", "Fewest points first"],
  ["section", "By section"],
];

export function MatrixFilters({ grades, filter, onChange }: FiltersProps) {
  const sections = sectionsOf(grades.items);
  return (
    <div class="filters">
      <input
        type="search"
        aria-label="Find a student"
        placeholder="Find a student"
        value={filter.search}
        onInput={(event) => onChange({ search: event.currentTarget.value })}
      />
      {sections.length > 1 && (
        <select
          aria-label="Section"
          value={filter.section}
          onChange={(event) => onChange({ section: event.currentTarget.value })}
        >
          <option value="">All sections</option>
          {sections.map((section) => (
            <option key={section} value={section}>
              {section}
            </option>
          ))}
        </select>
      )}
      <select
        aria-label="Students who did not pass a test"
        value={filter.failed}
        onChange={(event) => onChange({ failed: event.currentTarget.value })}
      >
        <option value="">Passed or not</option>
        {grades.tests.map(({ id }) => (
          <option key={id} value={id}>
            Did not pass {id}
          </option>
        ))}
      </select>
      <select
        aria-label="Order"
        value={filter.order}
        onChange={(event) => onChange({ order: event.currentTarget.value as Order })}
      >
        {ORDERS.map(([order, label]) => (
          <option key={order} value={order}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Matrix({ name, rows, tests }: { name: string; rows: readonly Grade[]; tests: readonly TestRate[] }) {
  return (
    // biome-ignore lint/a11y: what scrolls must be reachable by keyboard, and is no landmark
    <div class="scroll" role="group" tabIndex={0} aria-label="Students and tests">
      <table class="matrix" aria-labelledby="grades">
        <thead>
          <tr>
            <th scope="col">Student</th>
            <th scope="col">Points</th>
            {tests.map((test) => (
              <TestHead key={test.id} test={test} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((grade) => (
            <Row key={grade.member_id} name={name} grade={grade} tests={tests} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function TestHead({ test }: { test: TestRate }) {
  const rate = rateOf(test);
  return (
    <th scope="col" class="test-column">
      <span class="test-id">{test.id}</span>
      <span class="hint">
        {rate === null ? "–" : share(Math.round(rate * 100) / 100)}
        {rate !== null && <span class="visually-hidden"> of the graded students passed it</span>}
      </span>
      <progress
        max={1}
        value={rate ?? 0}
        aria-label={`Passed ${test.id}`}
        title={`${test.passed} of ${test.graded} passed it`}
      />
      {test.hidden && <span class="hint">hidden</span>}
    </th>
  );
}

function Row({ name, grade, tests }: { name: string; grade: Grade; tests: readonly TestRate[] }) {
  const { external_id, member_id, section, submission_id, submissions, late_share, adjustment } = grade;
  const title = grade.name || external_id;
  const marks = new Map(grade.tests.map((mark) => [mark.id, mark]));
  const member = addressOf(name, "submissions", `?member=${encodeURIComponent(member_id)}`);
  return (
    <tr>
      <th scope="row">
        {submission_id ? (
          <a href={addressOf(name, "submission", `/${submission_id}`)}>{title}</a>
        ) : submissions > 0 ? (
          <a href={member}>{title}</a>
        ) : (
          title
        )}
        <span class="hint about">
          {grade.name && external_id}
          {section && ` · ${section}`}
          {submissions > 0 && (
            <>
              {" · "}
              <a href={member}>
                {submissions}
                <span class="visually-hidden">
                  {submissions === 1 ? " submission" : " submissions"} of {title}
                </span>
                <span aria-hidden="true"> sub.</span>
              </a>
            </>
          )}
        </span>
      </th>
      <td class="number">
        <Points points={grade.points} of={grade.max_points} />
        {(late_share > 0 || adjustment !== 0) && (
          <span class="hint about">
            {late_share > 0 && `late −${share(late_share)} `}
            {adjustment !== 0 && `adjusted ${adjustment > 0 ? "+" : "−"}${measure(Math.abs(adjustment))}`}
          </span>
        )}
      </td>
      {tests.map((test) => (
        <Cell key={test.id} test={test} mark={marks.get(test.id)} />
      ))}
    </tr>
  );
}

function Cell({ test, mark }: { test: TestRate; mark: TestMark | undefined }) {
  if (!mark) return <td class="mark none">–</td>;
  const passed = mark.verdict === "accepted";
  const partly = !passed && mark.points > 0;
  const said = `${words(mark.verdict)}, ${measure(mark.points)} of ${measure(test.points)} points`;
  return (
    <td class={`mark ${passed ? "good" : partly ? "partly" : "bad"}`} title={said}>
      <span aria-hidden="true">{passed ? "✓" : partly ? measure(mark.points) : "✕"}</span>
      <span class="visually-hidden">{said}</span>
    </td>
  );
}
