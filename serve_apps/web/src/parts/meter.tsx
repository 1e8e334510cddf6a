/** How far a training has come towards the nearest of its stop criteria. */
import { count, duration } from "../format";
import type { Training } from "../types";

interface Goal {
  part: number;
  text: string;
}

/**
 * The criterion of which most is done. An episode return says nothing of how much is left: it is not one of them. What
 * has succeeded is done, whichever criterion it was that it met.
 */
export function goal({ state, progress, request: { stop } }: Training): Goal | null {
  if (state === "succeeded") return { part: 1, text: `${count(progress.env_steps)} env steps` };
  const goals: Goal[] = [];
  const add = (done: number, wanted: number | null | undefined, text: (value: number) => string) => {
    if (wanted) goals.push({ part: Math.min(1, done / wanted), text: `${text(done)} of ${text(wanted)}` });
  };
  add(progress.env_steps, stop.env_steps, (value) => `${count(value)} env steps`);
  add(progress.iteration, stop.iterations, (value) => `${count(value)} iterations`);
  add(progress.train_wall_s, stop.wall_time_s, duration);
  return goals.sort((a, b) => b.part - a.part)[0] ?? null;
}

export function Meter({ training, text = true }: { training: Training; text?: boolean }) {
  const found = goal(training);
  if (!found) return text ? <span class="hint">{count(training.progress.env_steps)} env steps</span> : null;
  return (
    <div class="meter">
      <progress max={1} value={found.part} aria-label="Progress">
        {Math.round(found.part * 100)} %
      </progress>
      {text && (
        <span class="hint">
          {Math.floor(found.part * 100)} % · {found.text.replace(/^([\d,]+) env steps of/, "$1 of")}
        </span>
      )}
    </div>
  );
}
