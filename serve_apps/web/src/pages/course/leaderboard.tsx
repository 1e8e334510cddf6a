import { useNow } from "../../course/clock";
import { local } from "../../course/dates";
import { measure } from "../../format";
import { When } from "../../parts/course/marks";
import { Loaded, useFetched } from "../../parts/fetched";
import { isStaff } from "../../session";
import type { Leaderboard, LeaderboardRow } from "../../types";
import type { SectionProps } from "./assignment";

/** Members ranked by the submissions that count, with the interval of each value. */
export function LeaderboardPage({ assignment: { name } }: SectionProps) {
  const board = useFetched<Leaderboard>(`v1/assignments/${encodeURIComponent(name)}/leaderboard`);
  return (
    <section class="card" aria-labelledby="leaderboard">
      <header class="card-head">
        <h2 id="leaderboard">Leaderboard</h2>
        <button type="button" class="quiet push" onClick={() => void board.reload()}>
          Refresh
        </button>
      </header>
      <Loaded of={board}>{(shown) => <Board board={shown} />}</Loaded>
    </section>
  );
}

function Board({ board: { items, frozen_at } }: { board: Leaderboard }) {
  const now = useNow(60_000);
  if (items.length === 0) return <p class="empty">The ranking appears here once a submission is graded.</p>;
  const scale = scaleOf(items);
  const intervals = items.some(({ low, high }) => low !== null && high !== null);
  const unsure = intervals && items.some((row, index) => overlaps(row, items[index + 1]));
  return (
    <>
      <div class="pad notes-of-board">
        {frozen_at && <p>Frozen: this is the ranking of {local(frozen_at)}. The final one follows.</p>}
        <p class="hint">
          {isStaff.value ? "You see real names; learners see the names that the assignment gives them. " : ""}
          Equal values share a rank.
          {unsure && " Where the intervals of two rows overlap, their order may be chance."}
        </p>
      </div>
      <div class="scroll">
        <table class="runs board" aria-labelledby="leaderboard">
          <thead>
            <tr>
              <th scope="col">Rank</th>
              <th scope="col">Name</th>
              <th scope="col">Value</th>
              <th scope="col">{intervals ? "Interval" : "Compared"}</th>
              <th scope="col">Submitted</th>
            </tr>
          </thead>
          <tbody>
            {items.map((row, index) => (
              <tr key={`${row.name} ${index}`} class={row.me ? "me" : ""} aria-current={row.me ? "true" : undefined}>
                <td class="number rank" data-label="Rank">
                  {row.rank}
                  {tied(row, items) && <span class="hint"> tied</span>}
                </td>
                <th scope="row">
                  {row.name} {row.me && <span class="badge busy">you</span>}
                </th>
                <td class="number" data-label="Value">
                  {measure(row.value)}
                </td>
                <td class="wide">
                  <Interval row={row} scale={scale} />
                </td>
                <td>
                  <When at={row.submitted_at} now={now} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

const tied = (row: LeaderboardRow, rows: readonly LeaderboardRow[]): boolean =>
  rows.some((other) => other !== row && other.rank === row.rank);

const overlaps = (row: LeaderboardRow, next: LeaderboardRow | undefined): boolean =>
  next !== undefined && row.value !== next.value && (row.low ?? row.value) <= (next.high ?? next.value);

type Scale = (value: number) => number;

/** Percent of the width of a row, from the least value of all to the greatest. */
function scaleOf(rows: readonly LeaderboardRow[]): Scale {
  const ends = rows.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]);
  const least = Math.min(0, ...ends);
  const span = Math.max(...ends) - least || 1;
  return (value) => (100 * (value - least)) / span;
}

function Interval({ row: { value, low, high }, scale }: { row: LeaderboardRow; scale: Scale }) {
  const at = scale(value);
  const has = low !== null && high !== null;
  return (
    <div class="interval">
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" x="0" y="4.5" width="100" height="1" />
        {has ? (
          <rect class="span" x={scale(low)} y="2.5" width={Math.max(0.6, scale(high) - scale(low))} height="5" />
        ) : (
          <rect class="span" x="0" y="2.5" width={Math.max(0.6, at)} height="5" />
        )}
        <rect class="value" x={Math.max(0, at - 0.5)} y="0.5" width="1" height="9" />
      </svg>
      {has && (
        <span class="hint">
          {measure(low)} to {measure(high)}
        </span>
      )}
    </div>
  );
}
