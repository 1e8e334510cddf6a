/** The checkpoints that a training has kept, to download or to go on from. */
import { useEffect, useState } from "preact/hooks";
import type { Api } from "../api";
import { bytes, count, measure, shortId, time } from "../format";
import { Problem } from "../problem";
import type { TrainingFeed } from "../runs/feed";
import { isFinal } from "../runs/list";
import type { Checkpoint } from "../types";
import { Alert } from "./problem";

/** Retention deletes old checkpoints right after a new one is saved: the list is read a moment later. */
const SETTLE_MS = 400;

export function Checkpoints({ feed, api }: { feed: TrainingFeed; api: Api }) {
  const [items, setItems] = useState<Checkpoint[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [loading, setLoading] = useState<string | null>(null);
  const { id, request } = feed.document.value;
  const saved = feed.saved.value;
  useEffect(() => {
    if (saved === 0) return;
    const timer = setTimeout(async () => {
      try {
        setItems((await api.get<{ items: Checkpoint[] }>(`v1/trainings/${id}/checkpoints`)).items);
        setProblem(null);
      } catch (error) {
        setProblem(Problem.of(error));
      }
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [api, id, saved]);
  const loadingList = saved > 0 && items === null && !problem;
  const best = items?.find((checkpoint) => checkpoint.best);
  const download = async (checkpoint: Checkpoint) => {
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
        <p class="empty">{loadingList ? "Loading…" : isFinal(feed.document.value) ? "None." : "None yet."}</p>
      ) : (
        <ul class="checkpoints">
          {items.toReversed().map((checkpoint) => (
            <li key={checkpoint.id}>
              <div>
                <b>Iteration {count(checkpoint.iteration)}</b>{" "}
                {checkpoint === best && <span class="badge good">best</span>}
                <p class="hint">
                  {checkpoint.episode_return_mean !== null && `return ${measure(checkpoint.episode_return_mean)} · `}
                  {bytes(checkpoint.size_bytes)} · {time(checkpoint.created_at)} ·{" "}
                  <span class="whole">{shortId(checkpoint.id)}</span>
                </p>
              </div>
              <div class="actions">
                <a
                  class="button quiet"
                  href={`#/train?${new URLSearchParams({ resume_from: checkpoint.id, env: request.env, engine: request.engine })}`}
                  aria-label={`Train on from iteration ${checkpoint.iteration}`}
                >
                  Train on
                </a>
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

function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
