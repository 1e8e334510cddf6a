/** Recorded episodes of a training, beside its learning curve: a slider over the evaluations, and a player. */
import type { Signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Api } from "../api";
import { count, measure } from "../format";
import { Problem } from "../problem";
import { favourite, moments, nearest, rolesOf } from "../runs/episodes";
import type { TrainingFeed } from "../runs/feed";
import { isFinal } from "../runs/list";
import type { EpisodeInfo, EpisodeList } from "../types";
import { Player } from "./player";
import { Alert } from "./problem";
import { WatchNow } from "./watch-now";

interface Props {
  feed: TrainingFeed;
  api: Api;
  /** Env steps that were picked on the curve; null: the newest evaluation is shown. */
  picked: Signal<number | null>;
}

export function Episodes({ feed, api, picked }: Props) {
  const [items, setItems] = useState<EpisodeInfo[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const [watching, setWatching] = useState(false);
  const { id, simulated } = feed.document.value;
  const evaluations = feed.evaluations.value;
  useEffect(() => {
    if (evaluations === 0) return;
    let left = false;
    api.get<EpisodeList>(`v1/trainings/${id}/episodes`).then(
      (found) => {
        if (left) return;
        setItems(found.items);
        setProblem(null);
      },
      (error) => left || setProblem(Problem.of(error)),
    );
    return () => {
      left = true;
    };
  }, [api, id, evaluations]);
  const found = moments(items);
  const at = picked.value === null ? found.length - 1 : nearest(found, picked.value);
  const moment = found[at];
  const episode = moment?.episodes.find((one) => one.id === chosen) ?? (moment && favourite(moment));
  return (
    <section class="card episodes" aria-labelledby="episodes">
      <header class="card-head">
        <h2 id="episodes">Episodes</h2>
        {moment && (
          <span class="hint">
            iteration {count(moment.iteration)}, {count(moment.envSteps)} env steps
          </span>
        )}
      </header>
      <Alert problem={problem} />
      <WatchNow feed={feed} />
      {!moment || !episode ? (
        <p class="empty">
          {simulated
            ? "A simulated training plays no episodes."
            : isFinal(feed.document.value)
              ? "This training has recorded no episodes."
              : "Episodes appear after the first policy evaluation."}
        </p>
      ) : (
        <div class="pad">
          {found.length > 1 && (
            <label class="evaluations">
              Policy evaluation
              <input
                type="range"
                min={0}
                max={found.length - 1}
                value={at}
                aria-valuetext={`iteration ${moment.iteration}, ${moment.envSteps} env steps`}
                onInput={(event) => {
                  picked.value = found[Number(event.currentTarget.value)]?.envSteps ?? null;
                }}
              />
            </label>
          )}
          <fieldset class="kept" aria-label="Recorded episodes of this evaluation">
            {moment.episodes.map((one) => (
              <button
                key={one.id}
                type="button"
                class="secondary"
                aria-pressed={one === episode}
                onClick={() => setChosen(one.id)}
              >
                {rolesOf(one)} <b>{measure(one.episode_return)}</b>
              </button>
            ))}
          </fieldset>
          <Player key={episode.id} info={episode} api={api} watching={watching} onWatch={() => setWatching(true)} />
        </div>
      )}
    </section>
  );
}
