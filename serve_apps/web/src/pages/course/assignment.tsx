import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { addressOf } from "../../course/address";
import { nextChange } from "../../course/dates";
import { DateBadge } from "../../parts/course/marks";
import { type Fetched, useFetched } from "../../parts/fetched";
import { Heading } from "../../parts/heading";
import { Alert } from "../../parts/problem";
import { isStaff } from "../../session";
import type { AssignmentView } from "../../types";
import { DifferencePage } from "./difference";
import { ExtensionsPage } from "./extensions";
import { GradesPage } from "./grades";
import { LeaderboardPage } from "./leaderboard";
import { RegradesPage } from "./regrades";
import { SimilarityPage } from "./similarity";
import { SubmissionPage } from "./submission";
import { SubmissionsPage } from "./submissions";
import { WorkPage } from "./work";

export interface SectionProps {
  assignment: AssignmentView;
  /** Read the assignment again: dates, attempts or points have changed. */
  reload: () => Promise<void>;
  /** What follows the name of the section in the address. */
  id: string | undefined;
  query: URLSearchParams;
}

interface Section {
  label: string;
  Page: (props: SectionProps) => JSX.Element;
  shown: (assignment: AssignmentView) => boolean;
}

const always = () => true;
const staffOnly = ({ staff }: AssignmentView) => staff !== null;

/** Parts of an assignment, by their names in the address. */
const SECTIONS: Record<string, Section> = {
  work: { label: "Assignment", Page: WorkPage, shown: always },
  submissions: { label: "Submissions", Page: SubmissionsPage, shown: always },
  leaderboard: { label: "Leaderboard", Page: LeaderboardPage, shown: ({ leaderboard }) => leaderboard },
  grades: { label: "Grades", Page: GradesPage, shown: staffOnly },
  extensions: { label: "Extensions", Page: ExtensionsPage, shown: staffOnly },
  regrades: { label: "Regrades", Page: RegradesPage, shown: staffOnly },
  similarity: { label: "Similarity", Page: SimilarityPage, shown: staffOnly },
  submission: { label: "Submission", Page: SubmissionPage, shown: () => false },
  difference: { label: "Difference", Page: DifferencePage, shown: () => false },
};

const PARENT: Record<string, string> = { submission: "submissions", difference: "submissions" };
/** The platform's time decides; what the page knows of it is renewed this often. */
const RENEW_MS = 60_000;

interface Props extends Pick<SectionProps, "id" | "query"> {
  name: string;
  section: string;
}

export function AssignmentPage({ name, section, id, query }: Props) {
  const fetched = useFetched<AssignmentView>(`v1/assignments/${encodeURIComponent(name)}`);
  useRenewal(fetched, `${section} ${id ?? ""}`);
  const { value: assignment, problem, reload } = fetched;
  const known = SECTIONS[section];
  if (!known || (problem && !assignment)) {
    return (
      <>
        <Heading title={!known || problem?.status === 404 ? "Not found" : "Not loaded"} />
        <Alert problem={problem} onRetry={() => void reload()} />
        <p>
          <a href="#/assignments">All assignments</a>
        </p>
      </>
    );
  }
  if (!assignment) return <p class="empty">Loading…</p>;
  const { title, mine } = assignment;
  return (
    <>
      <div class="page-head">
        <div>
          <p class="crumb">
            <a href="#/assignments">Assignments</a>
          </p>
          <Heading key={`${section} ${id ?? ""}`} title={section === "work" ? title : `${known.label} · ${title}`}>
            {title}
          </Heading>
          <div class="states">
            {mine && <DateBadge state={mine.date_state} />}
            <span class="hint">version {assignment.version}</span>
          </div>
        </div>
      </div>
      <nav class="tabs" aria-label="Parts of the assignment">
        {Object.entries(SECTIONS)
          .filter(([, { shown }]) => shown(assignment))
          .map(([key, { label }]) => (
            <a
              key={key}
              href={addressOf(name, key)}
              aria-current={(PARENT[section] ?? section) === key ? "page" : undefined}
            >
              {key === "submissions" && !isStaff.value ? "My submissions" : label}
            </a>
          ))}
      </nav>
      <known.Page key={`${section} ${id ?? ""}`} assignment={assignment} reload={reload} id={id} query={query} />
    </>
  );
}

/** Read the assignment again from time to time, when `place` changes, and as soon as a date or a cool-down has passed. */
function useRenewal({ value, reload }: Fetched<AssignmentView>, place: string): void {
  const mine = value?.mine ?? null;
  const [renewed, setRenewed] = useState(0);
  useEffect(() => {
    const change = mine && nextChange(mine);
    const wait = change === null ? RENEW_MS : Math.min(RENEW_MS, change - Date.now() + 250);
    const timer = setTimeout(() => void reload().then(() => setRenewed(renewed + 1)), wait);
    return () => clearTimeout(timer);
  }, [mine, reload, renewed]);
  const seen = useRef(place);
  useEffect(() => {
    if (seen.current === place) return;
    seen.current = place;
    void reload();
  }, [place, reload]);
}
