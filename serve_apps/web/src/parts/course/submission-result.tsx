/** The result of a submission while it is judged, and its points afterwards. */
import { addressOf } from "../../course/address";
import type { SubmissionFeed } from "../../runs/submission-feed";
import { EvaluationResult } from "../result";
import { Counts, Late, Points } from "./marks";

export function SubmissionResult({ feed, reveal = false }: { feed: SubmissionFeed; reveal?: boolean }) {
  const info = feed.info.value;
  return (
    <div class="side">
      <EvaluationResult
        feed={feed}
        submission={null}
        reveal={reveal}
        cancellable={false}
        points={
          info.points === null ? null : (
            <span class="score">
              <Points points={info.points} of={info.max_points} /> <span class="hint">points</span>{" "}
              <Late lost={info.late_share} /> {info.counts && <Counts />}
            </span>
          )
        }
      />
      {reveal && (
        <p class="hint">
          <a href={addressOf(info.assignment, "submission", `/${info.id}`)}>Open submission {info.number}</a>
        </p>
      )}
    </div>
  );
}
