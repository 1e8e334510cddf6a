/** One recorded episode: its video if it has one, its rewards and actions, and every step in words. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Api } from "../api";
import { count, measure } from "../format";
import { Problem } from "../problem";
import { flat, returns } from "../runs/episodes";
import type { Episode, EpisodeInfo } from "../types";
import { Alert } from "./problem";
import { Strip } from "./strip";

const STEPS_PER_S = 30;
const MAX_NUMBERS = 32;

interface Props {
  info: EpisodeInfo;
  api: Api;
  /** True once somebody has asked for a video: the next one is drawn at once. */
  watching: boolean;
  onWatch: () => void;
}

export function Player({ info, api, watching, onWatch }: Props) {
  const [episode, setEpisode] = useState<Episode | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [url, setUrl] = useState<string | null>(null);
  const [refused, setRefused] = useState<string | null>(info.no_video ?? null);
  const [step, setStep] = useState(0);
  const [playing, setPlaying] = useState(false);
  const video = useRef<HTMLVideoElement>(null);
  const wanted = watching && refused === null;

  useEffect(() => {
    let left = false;
    api.get<Episode>(`v1/episodes/${info.id}`).then(
      (found) => left || setEpisode(found),
      (error) => left || setProblem(Problem.of(error)),
    );
    return () => {
      left = true;
    };
  }, [api, info.id]);

  useEffect(() => {
    if (!wanted || url !== null) return;
    let left = false;
    drawn(api, info.id, () => left)
      .then(async (content) => {
        if (left || content === null) return;
        setUrl(URL.createObjectURL(content));
        setEpisode(await api.get<Episode>(`v1/episodes/${info.id}`));
      })
      .catch((error) => {
        if (left) return;
        const found = Problem.of(error);
        if (found.status === 422) setRefused(found.detail);
        else setProblem(found);
      });
    return () => {
      left = true;
    };
  }, [api, info.id, wanted, url]);

  useEffect(() => () => void (url && URL.revokeObjectURL(url)), [url]);

  const last = Math.max(0, (episode?.rewards.length ?? 1) - 1);
  const pace = episode?.video ? episode.video.frames_per_s * episode.video.steps_per_frame : STEPS_PER_S;

  // the mark follows the video frame by frame; without a video it moves by itself
  useEffect(() => {
    if (!playing) return;
    let handle = 0;
    const began = performance.now();
    const from = step >= last ? 0 : step;
    const follow = () => {
      const element = video.current;
      const at = element ? element.currentTime * pace : from + ((performance.now() - began) / 1000) * pace;
      setStep(Math.min(last, Math.floor(at)));
      if (!element && at >= last) setPlaying(false);
      else handle = requestAnimationFrame(follow);
    };
    handle = requestAnimationFrame(follow);
    return () => cancelAnimationFrame(handle);
  }, [playing, last, pace]);

  const go = (to: number) => {
    setStep(to);
    if (video.current) video.current.currentTime = Math.min((to + 0.5) / pace, video.current.duration || 0);
    else setPlaying(false);
  };

  return (
    <div class="player">
      <Alert problem={problem} />
      {url ? (
        // biome-ignore lint/a11y/useMediaCaption: an episode is silent
        <video
          ref={video}
          src={url}
          controls
          loop
          playsInline
          autoPlay={!matchMedia("(prefers-reduced-motion: reduce)").matches}
          aria-label={`Video of an episode of ${info.env}, return ${measure(info.episode_return)}`}
          onPlay={() => setPlaying(true)}
          onPause={() => setPlaying(false)}
          onSeeked={(event) => playing || setStep(Math.min(last, Math.floor(event.currentTarget.currentTime * pace)))}
        />
      ) : (
        <div class="screen">
          {refused !== null ? (
            <p class="hint">{refused}</p>
          ) : watching ? (
            <p class="hint" role="status">
              Drawing the episode…
            </p>
          ) : (
            <button type="button" onClick={onWatch}>
              Watch episode
            </button>
          )}
        </div>
      )}
      {episode?.video && !episode.video.exact && (
        <p class="banner">The replay differs from the recording: {episode.video.difference}.</p>
      )}
      {episode && episode.rewards.length > 0 && (
        <Steps episode={episode} step={step} onStep={go}>
          {!url && (
            <button type="button" class="secondary" onClick={() => setPlaying(!playing)}>
              {playing ? "Pause" : "Play steps"}
            </button>
          )}
        </Steps>
      )}
      {episode && <Observation id={info.id} api={api} step={step} />}
    </div>
  );
}

function Steps({
  episode,
  step,
  onStep,
  children,
}: {
  episode: Episode;
  step: number;
  onStep: (step: number) => void;
  children: preact.ComponentChildren;
}) {
  const sums = useMemo(() => returns(episode.rewards), [episode]);
  const reward = episode.rewards[step] ?? 0;
  const action = flat(episode.actions[step]);
  const words = `step ${count(step + 1)} of ${count(episode.length)}, reward ${measure(reward)}, action ${some(action)}`;
  return (
    <div class="steps">
      <p class="legends">
        <span class="legend line-1">reward</span> <span class="legend line-2">action</span>
      </p>
      <Strip episode={episode} step={step} onStep={onStep} />
      <input
        type="range"
        min={0}
        max={episode.rewards.length - 1}
        value={step}
        aria-label="Step of the episode"
        aria-valuetext={words}
        onInput={(event) => onStep(Number(event.currentTarget.value))}
      />
      <div class="row">
        {children}
        <p class="now">
          Step <b>{count(step + 1)}</b> of {count(episode.length)} · reward <b>{measure(reward)}</b> · action{" "}
          <b>{some(action)}</b> · return so far <b>{measure(sums[step] ?? 0)}</b>
        </p>
      </div>
    </div>
  );
}

/** What the policy saw before its action: read when somebody opens it. */
function Observation({ id, api, step }: { id: string; api: Api; step: number }) {
  const [open, setOpen] = useState(false);
  const [seen, setSeen] = useState<Episode["observations"]>(null);
  const [loaded, setLoaded] = useState(false);
  useEffect(() => {
    if (!open || loaded) return;
    api.get<Episode>(`v1/episodes/${id}?observations=true`).then(
      (found) => {
        setSeen(found.observations ?? null);
        setLoaded(true);
      },
      () => setLoaded(true),
    );
  }, [api, id, open, loaded]);
  const values = seen ? flat(seen[step]) : [];
  return (
    <details class="observation" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Observation</summary>
      {!loaded ? (
        <p class="hint">Loading…</p>
      ) : seen ? (
        <ol class="values">
          {values.slice(0, MAX_NUMBERS).map((value, place) => (
            <li key={place}>{measure(value)}</li>
          ))}
          {values.length > MAX_NUMBERS && <li>and {count(values.length - MAX_NUMBERS)} more</li>}
        </ol>
      ) : (
        <p class="hint">The observations are too large to be recorded: they are pictures.</p>
      )}
    </details>
  );
}

const some = (values: number[]): string =>
  values.slice(0, 6).map(measure).join(", ") + (values.length > 6 ? ", …" : "");

/** The video, asked for until it is drawn; null once `left` says so. */
async function drawn(api: Api, id: string, left: () => boolean): Promise<Blob | null> {
  while (!left()) {
    try {
      return await api.download(`v1/episodes/${id}/video`);
    } catch (error) {
      if (Problem.of(error).code !== "not_ready") throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  return null;
}
