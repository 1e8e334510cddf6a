import { useEffect, useState } from "preact/hooks";
import { addressOf } from "../../course/address";
import { useNow } from "../../course/clock";
import { Counts, Late, Points, SubmissionBadge, When } from "../../parts/course/marks";
import { Loaded, useFetched } from "../../parts/fetched";
import { isStaff } from "../../session";
import type { SubmissionInfo, SubmissionList } from "../../types";
import type { SectionProps } from "./assignment";

const FIRST = 25;
const MORE = 100;
const LOOK_MS = 3_000;

/** Submissions, newest first: a learner's own; for staff those of all, or of the member in the query. */
export function SubmissionsPage({ assignment, query }: SectionProps) {
  const { name } = assignment;
  const member = query.get("member");
  const path = `v1/assignments/${encodeURIComponent(name)}/submissions`;
  const list = useFetched<SubmissionList>(member ? `${path}?member=${encodeURIComponent(member)}` : path);
  useLook(list.value?.items ?? [], list.reload);
  const whose = member ? (list.value?.items[0]?.member ?? "this member") : null;
  return (
    <section class="card" aria-labelledby="submissions">
      <header class="card-head">
        <h2 id="submissions">
          {isStaff.value ? (whose ? `Submissions of ${whose}` : "All submissions") : "My submissions"}
        </h2>
        {member && (
          <a class="push" href={addressOf(name, "submissions")}>
            Show all
          </a>
        )}
      </header>
      <Loaded of={list}>
        {({ items }) => (items.length === 0 ? <p class="empty">{none()}</p> : <Table name={name} items={items} />)}
      </Loaded>
    </section>
  );
}

const none = () =>
  isStaff.value
    ? "Submissions of your learners appear here."
    : "Your submissions appear here, with their results. Each of them stays readable.";

/** Look again while something is being judged. */
function useLook(items: readonly SubmissionInfo[], reload: () => Promise<void>): void {
  const pending = items.some(({ state }) => state === "pending");
  useEffect(() => {
    if (!pending) return;
    const timer = setInterval(() => document.hidden || void reload(), LOOK_MS);
    return () => clearInterval(timer);
  }, [pending, reload]);
}

function Table({ name, items }: { name: string; items: readonly SubmissionInfo[] }) {
  const now = useNow(60_000);
  const [most, setMost] = useState(FIRST);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const staff = isStaff.value;
  // the two that were ticked last
  const tick = (id: string) =>
    setChosen(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id].slice(-2));
  const [from, to] = items.filter(({ id }) => chosen.includes(id)).toReversed();
  return (
    <>
      {items.length > 1 && (
        <p class="pad compare-bar">
          {from && to ? (
            <a class="button secondary" href={addressOf(name, "difference", `?from=${from.id}&to=${to.id}`)}>
              Show what changed from {labelOf(from, staff)} to {labelOf(to, staff)}
            </a>
          ) : (
            <span class="hint">Tick two submissions to see what changed between them.</span>
          )}
        </p>
      )}
      <div class="scroll">
        <table class="runs" aria-labelledby="submissions">
          <thead>
            <tr>
              <th scope="col">Submission</th>
              <th scope="col">Result</th>
              <th scope="col">Points</th>
              <th scope="col">Tests passed</th>
              <th scope="col">Submitted</th>
            </tr>
          </thead>
          <tbody>
            {items.slice(0, most).map((one) => (
              <tr key={one.id}>
                <th scope="row">
                  {items.length > 1 && (
                    <input
                      type="checkbox"
                      class="tick"
                      aria-label={`Compare ${labelOf(one, staff)}`}
                      checked={chosen.includes(one.id)}
                      onChange={() => tick(one.id)}
                    />
                  )}
                  <a href={addressOf(name, "submission", `/${one.id}`)}>{labelOf(one, staff)}</a>
                </th>
                <td class="wide">
                  <SubmissionBadge {...one} /> <Late lost={one.late_share} /> {one.counts && <Counts />}
                </td>
                <td class="number" data-label="Points">
                  <Points points={one.points} of={one.max_points} />
                </td>
                <td class="number" data-label="Tests passed">
                  {passed(one)}
                </td>
                <td>
                  <When at={one.submitted_at} now={now} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {items.length > most && (
        <p class="pad">
          <button type="button" class="secondary" onClick={() => setMost(most + MORE)}>
            Show {Math.min(MORE, items.length - most)} more of {items.length}
          </button>
        </p>
      )}
    </>
  );
}

const labelOf = ({ number, member }: SubmissionInfo, staff: boolean): string =>
  staff && member ? `${member}, number ${number}` : `number ${number}`;

const passed = ({ tests }: SubmissionInfo): string =>
  tests.length === 0 ? "–" : `${tests.filter(({ verdict }) => verdict === "accepted").length} of ${tests.length}`;
