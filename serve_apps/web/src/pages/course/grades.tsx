import { useState } from "preact/hooks";
import { addressOf } from "../../course/address";
import { share } from "../../course/dates";
import { EVERYBODY, type MatrixFilter, select, summaryOf } from "../../course/matrix";
import { measure } from "../../format";
import { Matrix, MatrixFilters } from "../../parts/course/matrix";
import { Loaded, useFetched } from "../../parts/fetched";
import { Alert } from "../../parts/problem";
import { save } from "../../parts/save";
import { Problem } from "../../problem";
import { current } from "../../session";
import type { Grades } from "../../types";
import type { SectionProps } from "./assignment";

/** What can be downloaded: label, path below the assignment, what is added to its name. */
const FORMS = [
  ["Download CSV", "grades?format=csv", ".csv"],
  ["Download for Gradescope", "grades?format=gradescope", "-gradescope.json"],
  ["Download everything (ZIP)", "archive", ".zip"],
] as const;

/** Grades of all learners: a row for each, a column for each test. */
export function GradesPage({ assignment: { name } }: SectionProps) {
  const grades = useFetched<Grades>(`v1/assignments/${encodeURIComponent(name)}/grades`);
  return <Loaded of={grades}>{(found) => <Shown name={name} grades={found} />}</Loaded>;
}

function Shown({ name, grades }: { name: string; grades: Grades }) {
  const [filter, setFilter] = useState<MatrixFilter>(EVERYBODY);
  const rows = select(grades.items, filter);
  return (
    <>
      <Totals grades={grades} />
      <section class="card" aria-labelledby="grades">
        <header class="card-head">
          <h2 id="grades">Students and tests</h2>
          {grades.items.length > 0 && (
            <MatrixFilters
              grades={grades}
              filter={filter}
              onChange={(changes) => setFilter({ ...filter, ...changes })}
            />
          )}
        </header>
        {grades.items.length === 0 ? (
          <p class="empty">
            A row for each learner appears here. <a href="#/people">Import the roster of your course</a> first.
          </p>
        ) : rows.length === 0 ? (
          <p class="empty">No student is found.</p>
        ) : (
          <Matrix name={name} rows={rows} tests={grades.tests} />
        )}
        <Downloads name={name} />
      </section>
      <p class="hint">
        {grades.regrade && "The results of a regrade hold. "}A cell tells the result of the submission that counts. A
        click on a name opens it; <a href={addressOf(name, "submissions")}>all submissions</a> are listed, too.
      </p>
    </>
  );
}

function Totals({ grades }: { grades: Grades }) {
  const { students, submitted, graded, mean, median } = summaryOf(grades.items);
  const of = <span class="hint of">of {measure(grades.max_points)} points</span>;
  return (
    <section class="card" aria-label="Totals">
      <dl class="numbers facts-row">
        <div>
          <dt>Students</dt>
          <dd>{students}</dd>
        </div>
        <div>
          <dt>Have submitted</dt>
          <dd>
            {submitted}
            {students > 0 && <span class="hint">{share(submitted / students)}</span>}
          </dd>
        </div>
        <div>
          <dt>Have a grade</dt>
          <dd>{graded}</dd>
        </div>
        <div>
          <dt>Mean</dt>
          <dd>
            {mean === null ? "–" : measure(mean)} {of}
          </dd>
        </div>
        <div>
          <dt>Median</dt>
          <dd>
            {median === null ? "–" : measure(median)} {of}
          </dd>
        </div>
      </dl>
    </section>
  );
}

function Downloads({ name }: { name: string }) {
  const { api } = current();
  const [busy, setBusy] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const download = async (path: string, ending: string) => {
    setBusy(path);
    setProblem(null);
    try {
      save(await api.download(`v1/assignments/${encodeURIComponent(name)}/${path}`), name + ending);
    } catch (error) {
      setProblem(Problem.of(error));
    } finally {
      setBusy(null);
    }
  };
  return (
    <>
      <Alert problem={problem} />
      <div class="card-foot downloads">
        {FORMS.map(([label, path, ending]) => (
          <button
            key={path}
            type="button"
            class="secondary"
            disabled={busy !== null}
            onClick={() => void download(path, ending)}
          >
            {busy === path ? "Downloading…" : label}
          </button>
        ))}
      </div>
    </>
  );
}
