/** Watching a policy while it is trained: an episode of each newest checkpoint is played and shown. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Api } from "../api";
import { count } from "../format";
import { Problem } from "../problem";
import type { TrainingFeed } from "../runs/feed";
import { isFinal } from "../runs/list";
import { may } from "../session";
import type { CheckpointInfo, EpisodeInfo, PolicyEvaluation } from "../types";
import { drawn } from "./player";
import { Alert } from "./problem";

interface Props {
  feed: TrainingFeed;
  api: Api;
  onEpisode: (episode: EpisodeInfo) => void;
}

export function NewestPolicy({ feed, api, onEpisode }: Props) {
  const [following, follow] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const played = useRef<string | null>(null);
  const document = feed.document.value;
  const { checkpoint } = document;
  const running = !isFinal(document);
  useEffect(() => {
    if (!following || busy || !checkpoint || checkpoint.id === played.current) return;
    played.current = checkpoint.id;
    setBusy(true);
    play(api, checkpoint)
      .then(
        (episode) => episode && onEpisode(episode),
        (error) => {
          const found = Problem.of(error);
          if (found.status === 404) return; // a newer one has taken its place
          setProblem(found);
          follow(false);
        },
      )
      .finally(() => setBusy(false));
  }, [api, following, busy, checkpoint?.id]);
  if (!running || document.simulated || !may("train")) return null;
  const toggle = () => {
    setProblem(null);
    follow(!following);
  };
  return (
    <div class="pad newest-policy">
      <Alert problem={problem} still />
      <button type="button" class="secondary" aria-pressed={following} onClick={toggle}>
        {following ? "Stop watching" : "Watch the newest policy"}
      </button>
      <p class="hint" role="status">
        {!following
          ? "Plays an episode with each checkpoint as it is saved."
          : busy && checkpoint
            ? `Playing an episode with the policy of ${count(checkpoint.env_steps)} env steps…`
            : checkpoint
              ? "The next episode follows with the next checkpoint."
              : "The first episode follows with the first checkpoint."}
      </p>
    </div>
  );
}

/** Play an episode and have it drawn: on a busy machine, one is seen before the next one is begun. */
async function play(api: Api, { id, iteration }: CheckpointInfo): Promise<EpisodeInfo | undefined> {
  const asked = { episodes: 1, seed: iteration };
  const { episodes } = await api.post<PolicyEvaluation>(`v1/checkpoints/${id}/evaluate`, asked);
  const [episode] = episodes;
  if (episode) await drawn(api, episode.id, () => false).catch(() => null); // without pictures, its steps are shown
  return episode;
}
