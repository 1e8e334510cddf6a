/** Watching a policy while it is trained: pictures of the game that the newest checkpoint plays. */
import { useEffect, useRef, useState } from "preact/hooks";
import { count, measure } from "../format";
import type { Problem } from "../problem";
import type { TrainingFeed } from "../runs/feed";
import { isFinal } from "../runs/list";
import { current } from "../session";
import type { LiveFrame } from "../types";
import { Alert } from "./problem";

const AGAIN_MS = 2000;

export function WatchNow({ feed }: { feed: TrainingFeed }) {
  const { live } = current();
  const [watching, setWatching] = useState(false);
  const [frame, setFrame] = useState<LiveFrame | null>(null);
  const [waiting, setWaiting] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const picture = useRef<HTMLImageElement>(null);
  const { id, simulated } = feed.document.value;
  const running = !isFinal(feed.document.value);
  useEffect(() => {
    if (!watching) return;
    return live.watch(id, {
      onFrame: async (found) => {
        setFrame(found);
        setWaiting(null);
        await shown(picture.current, found.picture ?? null);
      },
      onError: async (found) => {
        if (found.code !== "not_ready") {
          setProblem(found);
          setWatching(false);
          return false;
        }
        setWaiting("The game begins with the first checkpoint.");
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        return true;
      },
    });
  }, [live, id, watching]);
  if (simulated || (!running && !watching)) return null;
  const toggle = () => {
    setProblem(null);
    setFrame(null);
    setWaiting(null);
    setWatching(!watching);
  };
  return (
    <div class="pad watch-now">
      <Alert problem={problem} still />
      <button type="button" class="secondary" aria-pressed={watching} onClick={toggle}>
        {watching ? "Stop watching" : "Watch now"}
      </button>
      {!watching && <p class="hint">Shows the newest checkpoint play, live.</p>}
      {watching && (
        <div class="player">
          {(!frame || frame.picture) && (
            <div class="screen">
              <img
                ref={picture}
                alt={`Live view of the policy in ${feed.document.value.request.env}`}
                hidden={!frame?.picture}
              />
              {!frame && (
                <p class="hint" role="status">
                  {waiting ?? "Starting the game…"}
                </p>
              )}
            </div>
          )}
          {frame && <Now frame={frame} />}
        </div>
      )}
    </div>
  );
}

function Now({ frame }: { frame: LiveFrame }) {
  const { action, observation } = frame;
  return (
    <>
      <p class="now">
        Policy of <b>{count(frame.env_steps)}</b> env steps · episode <b>{count(frame.episode)}</b> · step{" "}
        <b>{count(frame.step)}</b> · return so far <b>{measure(frame.episode_return ?? Number.NaN)}</b>
        {action.length > 0 && (
          <>
            {" "}
            · action <b>{action.slice(0, 6).map(measure).join(", ")}</b>
          </>
        )}
      </p>
      {!frame.picture && (
        <>
          <p class="hint">This environment has no picture. The policy sees:</p>
          <ol class="values">
            {observation.map((value, place) => (
              <li key={place}>{measure(value)}</li>
            ))}
          </ol>
        </>
      )}
    </>
  );
}

/** Show a picture; the promise is kept when it is on the screen, and the page is visible. */
async function shown(image: HTMLImageElement | null, picture: string | null): Promise<void> {
  if (image && picture) {
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    const url = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
    image.src = url;
    await image.decode().catch(() => undefined); // a newer one has taken its place
    URL.revokeObjectURL(url);
  }
  while (document.hidden)
    await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}
