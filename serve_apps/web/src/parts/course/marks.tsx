/** Small pieces that the pages of a course share: dates, points, what a submission is worth. */
import { away, local, share } from "../../course/dates";
import { measure } from "../../format";
import type { MyStatus, SubmissionInfo } from "../../types";
import { Badge, VerdictBadge } from "../badge";

export const When = ({ at, now }: { at: string; now: number }) => (
  <time dateTime={at} title={away(at, now)}>
    {local(at)}
  </time>
);

const DATES: Record<MyStatus["date_state"], Parameters<typeof Badge>[0]> = {
  upcoming: { tone: "calm", sign: "○", text: "not open yet" },
  open: { tone: "good", sign: "●", text: "open" },
  late: { tone: "warn", sign: "!", text: "past due" },
  closed: { tone: "calm", sign: "■", text: "closed" },
};

export const DateBadge = ({ state }: { state: MyStatus["date_state"] }) => <Badge {...DATES[state]} />;

/** Points of those that are possible; a dash where nothing is graded. */
export const Points = ({ points, of }: { points: number | null; of: number }) =>
  points === null ? (
    <span class="hint of">–</span>
  ) : (
    <>
      {measure(points)} <span class="hint of">/ {measure(of)}</span>
    </>
  );

/** The verdict of a submission, or why there is none. */
export function SubmissionBadge({ state, verdict }: Pick<SubmissionInfo, "state" | "verdict">) {
  if (verdict) return <VerdictBadge verdict={verdict} />;
  if (state === "failed") return <Badge tone="warn" sign="!" text="not judged" />;
  return <Badge tone="busy" sign="●" text="being judged" />;
}

export const Counts = () => (
  <span class="badge counts" title="The grade is made of this submission.">
    counts
  </span>
);

export const Late = ({ lost }: { lost: number }) =>
  lost > 0 ? (
    <span class="badge warn" title={`It is late and loses ${share(lost)} of its score.`}>
      late −{share(lost)}
    </span>
  ) : null;
