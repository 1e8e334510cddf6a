/** The checkpoints that a training has kept, to download or to continue from. */
import { useEffect, useState } from "preact/hooks";
import type { Api } from "../api";
import { bytes, count, measure, shortId, time } from "../format";
import { Problem } from "../problem";
import type { TrainingFeed } from "../runs/feed";
import { isFinal } from "../runs/list";
import { may } from "../session";
import type { CheckpointInfo } from "../types";
import { Alert } from "./problem";
import { save } from "./save";

/** Retention deletes old checkpoints right after a new one is saved: the list is read a moment later. */
const SETTLE_MS = 400;

export function Checkpoints({ feed, api }: { feed: TrainingFeed; api: Api }) {
  const [items, setItems] = useState<CheckpointInfo[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [loading, setLoading] = useState<string | null>(null);
  const { id } = feed.document.value;
  const saved = feed.saved.value;
  useEffect(() => {
    if (saved === 0) return;
    const timer = setTimeout(async () => {
      try {
        setItems((await api.get<{ items: CheckpointInfo[] }>(`v1/trainings/${id}/checkpoints`)).items);
        setProblem(null);
      } catch (error) {
        setProblem(Problem.of(error));
      }
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [api, id, saved]);
  const loadingList = saved > 0 && items === null && !problem;
  const best = items?.find((checkpoint) => checkpoint.best);
  const download = async (checkpoint: CheckpointInfo) => {
    setLoading(checkpoint.id);
    try {
      save(await api.download(`v1/checkpoints/${checkpoint.id}/download`), `${checkpoint.id}.tar`);
      setProblem(null);
    } catch (error) {
      setProblem(Problem.of(error));
    }
    setLoading(null);
  };
  return (
    <section class="card" aria-labelledby="checkpoints">
      <header class="card-head">
        <h2 id="checkpoints">Checkpoints</h2>
      </header>
      <Alert problem={problem} />
      {!items?.length ? (
        <p class="empty">
          {loadingList
            ? "Loading…"
            : isFinal(feed.document.value)
              ? "This training has kept no checkpoint."
              : "Checkpoints appear as they are saved."}
        </p>
      ) : (
        <ul class="checkpoints">
          {items.toReversed().map((checkpoint) => (
            <li key={checkpoint.id}>
              <div>
                <b>Iteration {count(checkpoint.iteration)}</b>{" "}
                {checkpoint === best && (
                  <span class="badge good" title="No kept checkpoint has a higher training return.">
                    best training return
                  </span>
                )}
                <p class="hint">
                  {checkpoint.episode_return_mean !== null &&
                    `training return ${measure(checkpoint.episode_return_mean)} · `}
                  {bytes(checkpoint.size_bytes)} · {time(checkpoint.created_at)} ·{" "}
                  <span class="whole">{shortId(checkpoint.id)}</span>
                </p>
              </div>
              <div class="actions">
                {may("train") && (
                  <a
                    class="button quiet"
                    href={`#/train?${new URLSearchParams({ continue: id, checkpoint: checkpoint.id })}`}
                    aria-label={`Continue training from iteration ${checkpoint.iteration}`}
                  >
                    Continue training
                  </a>
                )}
                <button
                  type="button"
                  class="secondary"
                  disabled={loading !== null}
                  onClick={() => download(checkpoint)}
                  aria-label={`Download the checkpoint of iteration ${checkpoint.iteration}`}
                >
                  {loading === checkpoint.id ? "Loading…" : "Download"}
                </button>
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
