import { useEffect, useState } from "preact/hooks";
import { addressOf } from "../../course/address";
import { useNow } from "../../course/clock";
import { type AssignmentDraft, copyOf, draftName, equal, starterOf } from "../../course/draft";
import { storeDraft, storedDraft } from "../../drafts/stored";
import { Adjustments } from "../../parts/course/adjustments";
import { CommentedCode } from "../../parts/course/commented-code";
import { When } from "../../parts/course/marks";
import { SubmissionResult } from "../../parts/course/submission-result";
import { Loaded, useFetched } from "../../parts/fetched";
import { go } from "../../router";
import { pathOf, SubmissionFeed } from "../../runs/submission-feed";
import { current, isStaff } from "../../session";
import type { AssignmentView, SubmissionDetail } from "../../types";
import type { SectionProps } from "./assignment";

/** One submission: its files beside its results, with the remarks of staff. */
export function SubmissionPage({ assignment, id = "", reload }: SectionProps) {
  const found = useFetched<SubmissionDetail>(pathOf({ assignment: assignment.name, id }));
  const again = async () => {
    await Promise.all([found.reload(), reload()]);
  };
  return (
    <Loaded of={found}>
      {(submission) => <Submission assignment={assignment} submission={submission} reload={again} />}
    </Loaded>
  );
}

interface Props {
  assignment: AssignmentView;
  submission: SubmissionDetail;
  reload: () => Promise<void>;
}

function Submission({ assignment, submission, reload }: Props) {
  const now = useNow(60_000);
  const { number, member, member_id, submitted_at, version } = submission;
  const feed = useFeed(submission, reload);
  const staff = isStaff.value;
  return (
    <>
      <div class="page-head">
        <p>
          <strong>
            {member ? (
              <a href={addressOf(assignment.name, "submissions", `?member=${encodeURIComponent(member_id)}`)}>
                {member}
              </a>
            ) : (
              "My submission"
            )}
            , number {number}
          </strong>{" "}
          <span class="hint">
            submitted <When at={submitted_at} now={now} />, under version {version}
          </span>
        </p>
        <div class="actions">
          {assignment.mine && (
            <button type="button" class="secondary" onClick={() => edit(assignment, submission)}>
              Edit a copy
            </button>
          )}
        </div>
      </div>
      <div class="workbench reading">
        <CommentedCode submission={submission} reload={reload} />
        <div class="side">
          {feed && <SubmissionResult feed={feed} />}
          {(staff || submission.adjustments.length > 0) && <Adjustments submission={submission} reload={reload} />}
        </div>
      </div>
    </>
  );
}

function useFeed(submission: SubmissionDetail, reload: () => Promise<void>): SubmissionFeed | null {
  const { api } = current();
  const [feed, setFeed] = useState<SubmissionFeed | null>(null);
  useEffect(() => {
    const opened = new SubmissionFeed(api, submission, () => void reload());
    setFeed(opened);
    return () => opened.close();
  }, [api, submission]);
  return feed;
}

/** Take a submission into the editor. What somebody wrote there is not thrown away without a question. */
function edit(assignment: AssignmentView, submission: SubmissionDetail): void {
  const name = draftName(assignment.name);
  const copy = copyOf(submission);
  const draft = storedDraft<AssignmentDraft>(name);
  const lost = draft !== null && !equal(draft, copy) && !equal(draft, starterOf(assignment));
  if (lost && !window.confirm("Replace the program in your editor by a copy of this submission?")) return;
  storeDraft(name, copy);
  go(addressOf(assignment.name).slice(1));
}
