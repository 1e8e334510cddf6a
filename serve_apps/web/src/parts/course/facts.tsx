/** What a learner has to know of an assignment before submitting: date, attempts, points, penalty. */

import { useNow } from "../../course/clock";
import { attemptsLeft, away, lateRule, local, share } from "../../course/dates";
import { measure } from "../../format";
import type { AssignmentView, MyStatus } from "../../types";
import { Points } from "./marks";

export function Facts({ assignment, mine }: { assignment: AssignmentView; mine: MyStatus }) {
  const now = useNow(1000);
  const { attempts: policy, counts, max_points, late } = assignment;
  const { attempts, due_at, closes_at, late_share, adjustment } = mine;
  const rule = lateRule(late, due_at);
  const waits = attempts.next_at !== null && new Date(attempts.next_at).getTime() > now ? attempts.next_at : null;
  return (
    <section class="card" aria-label="Dates, attempts and points">
      <dl class="numbers facts-row">
        <div>
          <dt>Due</dt>
          <dd>
            {due_at === null ? "No date" : away(due_at, now)}
            {due_at && (
              <span class="hint">
                <time dateTime={due_at}>{local(due_at)}</time>
              </span>
            )}
            {closes_at && <span class="hint">Nothing is accepted after {local(closes_at)}.</span>}
          </dd>
        </div>
        <div>
          <dt>If late</dt>
          <dd class={late_share > 0 ? "warning" : ""}>
            {late_share > 0
              ? `−${share(late_share)} now`
              : due_at === null || late.per_day === 0
                ? "No penalty"
                : "No penalty yet"}
            {rule && <span class="hint">{rule}</span>}
          </dd>
        </div>
        <div>
          <dt>Attempts left</dt>
          <dd>
            {attemptsLeft(mine)}
            {waits && <span class="hint">The next one is possible {away(waits, now)}.</span>}
            {policy.cool_down_s > 0 && !waits && (
              <span class="hint">{pause(policy.cool_down_s)} between two attempts.</span>
            )}
            {policy.bucket && (
              <span class="hint">
                At most {policy.bucket.capacity} at once; another one every {pause(policy.bucket.refill_s)}.
              </span>
            )}
          </dd>
        </div>
        <div>
          <dt>Your points</dt>
          <dd>
            <Points points={mine.points} of={max_points} />
            <span class="hint">
              {counts === "best" ? "Your best submission counts." : "Your last submission counts."}
            </span>
            {adjustment && (
              <span class="hint">
                {adjustment.points > 0 ? "+" : "−"}
                {measure(Math.abs(adjustment.points))} by course staff: {adjustment.reason}
              </span>
            )}
          </dd>
        </div>
      </dl>
    </section>
  );
}

function pause(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
