import { useNow } from "../../course/clock";
import { attemptsLeft, away, local } from "../../course/dates";
import { measure } from "../../format";
import { DateBadge, Points, When } from "../../parts/course/marks";
import { Loaded, useFetched } from "../../parts/fetched";
import { Heading } from "../../parts/heading";
import { administers, isStaff } from "../../session";
import type { AssignmentCard, AssignmentList } from "../../types";

/** All assignments of the course that the user sees, by due date. */
export function AssignmentsPage() {
  const list = useFetched<AssignmentList>("v1/assignments");
  return (
    <>
      <div class="page-head">
        <Heading title="Assignments" />
        {isStaff.value && (
          <div class="actions">
            <a class="button secondary" href="#/people">
              People
            </a>
          </div>
        )}
      </div>
      <Loaded of={list}>{({ items }) => (items.length === 0 ? <None /> : <List items={items} />)}</Loaded>
    </>
  );
}

function None() {
  return (
    <section class="card">
      {isStaff.value ? (
        <div class="pad empty-page">
          <h2>No assignments yet</h2>
          {administers.value ? (
            <>
              <p>
                An assignment is a folder: a statement, starter files, tests. Make one from an example, publish it, and
                it appears here.
              </p>
              <pre>rlp assignment init bandit --like bandit{"\n"}rlp assignment push bandit</pre>
            </>
          ) : (
            <p>An assignment appears here as soon as an administrator of the course publishes it.</p>
          )}
        </div>
      ) : (
        <p class="empty first">Assignments appear here as soon as your course staff opens them.</p>
      )}
    </section>
  );
}

function List({ items }: { items: readonly AssignmentCard[] }) {
  const now = useNow(30_000);
  const open = items.filter((card) => !isOver(card, now));
  const over = items.filter((card) => isOver(card, now));
  return (
    <>
      {open.length > 0 && <Group title="Open" items={open} now={now} />}
      {over.length > 0 && <Group title="Closed" items={over} now={now} />}
    </>
  );
}

const closesAt = (card: AssignmentCard) => (card.mine ? card.mine.closes_at : card.closes_at);
const dueAt = (card: AssignmentCard) => (card.mine ? card.mine.due_at : card.due_at);
const isOver = (card: AssignmentCard, now: number): boolean => {
  const closes = closesAt(card);
  return closes !== null && new Date(closes).getTime() < now;
};

function Group({ title, items, now }: { title: string; items: readonly AssignmentCard[]; now: number }) {
  const heading = `assignments-${title.toLowerCase()}`;
  const member = items.some(({ mine }) => mine !== null);
  return (
    <section class="card" aria-labelledby={heading}>
      <header class="card-head">
        <h2 id={heading}>{title}</h2>
      </header>
      <div class="scroll">
        <table class="runs" aria-labelledby={heading}>
          <thead>
            <tr>
              <th scope="col">Assignment</th>
              <th scope="col">Due</th>
              {member ? (
                <>
                  <th scope="col">Attempts left</th>
                  <th scope="col">Your points</th>
                </>
              ) : (
                <>
                  <th scope="col">Version</th>
                  <th scope="col">Points</th>
                </>
              )}
            </tr>
          </thead>
          <tbody>
            {items.map((card) => (
              <Row key={card.name} card={card} now={now} member={member} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({ card, now, member }: { card: AssignmentCard; now: number; member: boolean }) {
  const { name, title, mine, max_points, version, opens_at } = card;
  const due = dueAt(card);
  const opens = opens_at !== null && new Date(opens_at).getTime() > now ? opens_at : null;
  return (
    <tr>
      <th scope="row">
        <a href={`#/assignments/${encodeURIComponent(name)}`}>{title}</a>{" "}
        {mine && mine.date_state !== "open" && <DateBadge state={mine.date_state} />}
        {opens && (
          <p class="hint">
            Learners see it from {local(opens)} on, {away(opens, now)}.
          </p>
        )}
      </th>
      <td class="wide">
        {due === null ? (
          <span class="hint">no date</span>
        ) : (
          <>
            <When at={due} now={now} />
            <p class="hint">{away(due, now)}</p>
          </>
        )}
      </td>
      {member ? (
        <>
          <td class="number" data-label="Attempts left">
            {mine ? attemptsLeft(mine) : "–"}
          </td>
          <td class="number" data-label="Your points">
            <Points points={mine?.points ?? null} of={max_points} />
          </td>
        </>
      ) : (
        <>
          <td class="number" data-label="Version">
            {version}
          </td>
          <td class="number" data-label="Points">
            {measure(max_points)}
          </td>
        </>
      )}
    </tr>
  );
}
