import { dateTime, shortId } from "../format";
import { Heading } from "../parts/heading";
import { Journal } from "../parts/journal";
import { Load } from "../parts/load";
import { EvaluationResult } from "../parts/result";
import { EvaluationFeed } from "../runs/feed";
import type { Evaluation } from "../types";

const follow = (live: ConstructorParameters<typeof EvaluationFeed>[0], document: Evaluation) =>
  new EvaluationFeed(live, document);

export function EvaluationPage({ id }: { id: string }) {
  return (
    <Load path={`v1/evaluations/${encodeURIComponent(id)}`} make={follow}>
      {(feed) => (
        <>
          <div class="page-head">
            <div>
              <Heading title={`Submission ${shortId(id)}`}>
                Submission <span class="id">{shortId(id)}</span>
              </Heading>
              <p class="hint">
                Submitted {dateTime(feed.document.value.created_at)} · <code>{id}</code>
              </p>
            </div>
            <div class="actions">
              <a class="button secondary" href="#/evaluate">
                Back to the editor
              </a>
            </div>
          </div>
          <EvaluationResult feed={feed} />
          <Journal entries={feed.journal.value} />
        </>
      )}
    </Load>
  );
}
