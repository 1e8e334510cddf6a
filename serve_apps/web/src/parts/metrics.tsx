/** The charts of a training: its episode return large, the other metrics small. */
import type { Signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { words } from "../format";
import type { TrainingFeed } from "../runs/feed";
import { isFinal } from "../runs/list";
import type { Series } from "../runs/series";
import { Chart } from "./chart";

const RETURN = "rollout/episode_return_mean";
const FIRST = [
  "rollout/episode_length_mean",
  "train/value_loss",
  "train/approx_kl",
  "train/entropy_loss",
  "train/explained_variance",
  "time/fps",
];

/** `picked`: env steps whose episode is shown beside the curve; a click on the curve picks others. */
export function Metrics({ feed, picked }: { feed: TrainingFeed; picked: Signal<number | null> }) {
  const [more, setMore] = useState<string[]>([]);
  void feed.drawn.value;
  const { series } = feed;
  const names = [...series.columns.keys()].filter((name) => name !== RETURN).sort();
  const shown = [...FIRST.filter((name) => names.includes(name)), ...more.filter((name) => names.includes(name))];
  const hidden = names.filter((name) => !shown.includes(name));
  const returns = series.columns.get(RETURN) ?? [];
  return (
    <section class="card" aria-labelledby="metrics">
      <header class="card-head">
        <h2 id="metrics">Learning curve</h2>
        <span class="hint">over env steps</span>
      </header>
      {series.length === 0 ? (
        <p class="empty">
          {isFinal(feed.document.value)
            ? "The training ended before its first iteration."
            : "The curve appears after the first iteration."}
        </p>
      ) : (
        <div class="pad">
          <Chart
            title="Episode return"
            x={series.envSteps}
            lines={[
              { label: "training, mean of the last 100 episodes", values: returns, colour: "line-1" },
              { label: "policy evaluation", values: evaluated(series), colour: "line-2", points: true },
            ]}
            target={feed.document.value.request.stop.episode_return_mean}
            group={feed.document.value.id}
            mark={picked.value}
            onPick={(envSteps) => {
              if (feed.evaluations.value > 0) picked.value = envSteps;
            }}
          />
          <div class="small-charts">
            {shown.map((name) => (
              <Chart
                key={name}
                title={name}
                small
                x={series.envSteps}
                lines={[
                  {
                    label: words(name.split("/")[1] ?? name),
                    values: series.columns.get(name) ?? [],
                    colour: "line-1",
                  },
                ]}
                group={feed.document.value.id}
              />
            ))}
          </div>
          {hidden.length > 0 && (
            <label class="more-metrics">
              Another metric{" "}
              <select
                value=""
                onChange={(event) => {
                  setMore([...more, event.currentTarget.value]);
                  event.currentTarget.value = "";
                }}
              >
                <option value="">Choose…</option>
                {hidden.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
          )}
        </div>
      )}
    </section>
  );
}

/** The evaluations' means, at the rows of their iterations. */
function evaluated(series: Series): (number | null)[] {
  const row = new Map(series.iteration.map((iteration, index) => [iteration, index]));
  const column = new Array<number | null>(series.length).fill(null);
  for (const { iteration, mean } of series.evaluated) {
    const index = row.get(iteration);
    if (index !== undefined) column[index] = mean;
  }
  return column;
}
