/** Episodes that a submitted agent has played in one test: buttons for those that are kept, and a player. */
import { useEffect, useState } from "preact/hooks";
import type { Api } from "../api";
import { measure } from "../format";
import { Problem } from "../problem";
import { rolesOf } from "../runs/episodes";
import type { EpisodeInfo, EpisodeList } from "../types";
import { Player } from "./player";
import { Alert } from "./problem";

/** The recorded episodes of an evaluation, by test, once it has finished; null until they are there. */
export function useGradedEpisodes(api: Api, id: string, finished: boolean): EpisodeInfo[] | Problem | null {
  const [found, setFound] = useState<EpisodeInfo[] | Problem | null>(null);
  useEffect(() => {
    if (!finished) return;
    let left = false;
    api.get<EpisodeList>(`v1/evaluations/${encodeURIComponent(id)}/episodes`).then(
      ({ items }) => left || setFound(items),
      (error) => left || setFound(Problem.of(error)),
    );
    return () => {
      left = true;
    };
  }, [api, id, finished]);
  return found;
}

interface Props {
  /** Episodes of one test: best, median and worst. */
  episodes: EpisodeInfo[] | Problem;
  api: Api;
}

export function GradedEpisodes({ episodes, api }: Props) {
  const [chosen, setChosen] = useState<string | null>(null);
  const [watching, setWatching] = useState(false);
  if (!Array.isArray(episodes)) return <Alert problem={episodes} />;
  const shown = episodes.find(({ id }) => id === chosen) ?? episodes[0];
  if (!shown) return null;
  return (
    <div class="wide graded">
      <fieldset class="kept" aria-label="Recorded episodes of this test">
        {episodes.map((one) => (
          <button
            key={one.id}
            type="button"
            class="secondary"
            aria-pressed={one === shown}
            onClick={() => setChosen(one.id)}
          >
            {episodes.length === 1 ? "Return" : rolesOf(one)} <b>{measure(one.episode_return)}</b>
          </button>
        ))}
      </fieldset>
      <Player key={shown.id} info={shown} api={api} watching={watching} onWatch={() => setWatching(true)} />
    </div>
  );
}
