/** The trials of a study as a table: ranked by an interval over seeds, live. */
import type { Signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { count, measure } from "../../format";
import { axesOf, type Brushes, HEIGHTS, isBrushed, resultOf } from "../../studies/parallel";
import { inOrder, plain } from "../../studies/trials";
import type { Study, Trial } from "../../types";
import { StateBadge } from "../badge";
import { ShowMore } from "../show-more";

interface Props {
  study: Study;
  /** Number of the trial under the pointer, here or in the chart. */
  marked: Signal<number | null>;
  brushes: Signal<Brushes>;
}

const FIRST = 50;

export function Trials({ study, marked, brushes }: Props) {
  const [most, setMost] = useState(FIRST);
  const names = Object.keys(study.request.space);
  const axes = axesOf(study, { ...HEIGHTS, left: 0, right: 1 });
  const found = inOrder(study.trials).filter((trial) => isBrushed(trial, axes, brushes.value));
  const range = rangeOf(study.trials);
  return (
    <section class="card" aria-labelledby="trials">
      <header class="card-head">
        <h2 id="trials">Trials</h2>
        <span class="hint">
          Rank: 1 plus the number of trials whose 95 % interval over seeds lies wholly above the trial’s own.
        </span>
      </header>
      {study.trials.length === 0 ? (
        <p class="empty">Trials appear as they are chosen.</p>
      ) : (
        <div class="scroll">
          <table class="runs trials" aria-labelledby="trials">
            <thead>
              <tr>
                {["Trial", "Rank", "State", "Return", ...names, "Trainings", "Env steps"].map((name) => (
                  <th scope="col" key={name} class={names.includes(name) ? "mono" : undefined}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {found.slice(0, most).map((trial) => (
                <tr
                  key={trial.number}
                  class={marked.value === trial.number ? "marked" : undefined}
                  onPointerEnter={() => {
                    marked.value = trial.number;
                  }}
                  onPointerLeave={() => {
                    marked.value = null;
                  }}
                >
                  <th scope="row">
                    Trial {trial.number}
                    {trial.parent !== null && <span class="hint"> from {trial.parent}</span>}
                    {trial.message && <p class="hint settings">{trial.message}</p>}
                  </th>
                  <td class="number" data-label="Rank">
                    {trial.rank ?? "–"}
                  </td>
                  <td>
                    <StateBadge state={trial.state} />
                  </td>
                  <td class="number" data-label="Return">
                    <Result trial={trial} range={range} reports={study.request.pruner?.reports} />
                  </td>
                  {names.map((name) => (
                    <td key={name} class="mono" data-label={name}>
                      {plain(trial.hyperparameters[name])}
                    </td>
                  ))}
                  <td class="compared-runs">
                    {trial.trainings.map(({ seed, training_id, episode_return_mean }) => (
                      <a
                        key={training_id}
                        href={`#/trainings/${training_id}`}
                        title={episode_return_mean === null ? undefined : `return ${measure(episode_return_mean)}`}
                        aria-label={`Trial ${trial.number}, seed ${seed}`}
                      >
                        seed {seed}
                      </a>
                    ))}
                  </td>
                  <td class="number" data-label="Env steps">
                    {count(trial.trainings.reduce((sum, { env_steps }) => sum + env_steps, 0))}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <ShowMore
        shown={most}
        total={found.length}
        all={`${count(found.length)} trials`}
        onMore={() => setMost(most + FIRST)}
      />
    </section>
  );
}

interface Range {
  low: number;
  high: number;
}

function rangeOf(trials: readonly Trial[]): Range | null {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const trial of trials) {
    const value = resultOf(trial);
    if (value === null) continue;
    low = Math.min(low, trial.interval?.low ?? value);
    high = Math.max(high, trial.interval?.high ?? value);
  }
  return low < high ? { low, high } : null;
}

const BAR = { width: 96, height: 12 };

/** A trial's value and its interval, in numbers and as a bar on the scale of all trials. */
function Result({ trial, range, reports }: { trial: Trial; range: Range | null; reports: number | undefined }) {
  const { value, interval } = trial;
  const report = trial.reports.at(-1);
  if (value === null && !report) return <>–</>;
  if (value === null && report) {
    return (
      <>
        {measure(report.value)}{" "}
        <span class="hint">
          so far, report {report.number}
          {reports !== undefined && ` of ${reports}`}
        </span>
      </>
    );
  }
  const at = (of: number) =>
    range === null ? BAR.width / 2 : 4 + ((of - range.low) / (range.high - range.low)) * (BAR.width - 8);
  const middle = BAR.height / 2;
  return (
    <span class="result-bar">
      {range && (
        <svg width={BAR.width} height={BAR.height} aria-hidden="true">
          <line class="ground" x1="0" x2={BAR.width} y1={middle} y2={middle} />
          {interval && <line class="bounds" x1={at(interval.low)} x2={at(interval.high)} y1={middle} y2={middle} />}
          <circle cx={at(value ?? 0)} cy={middle} r="4" />
        </svg>
      )}
      <span>
        {measure(value ?? 0)}{" "}
        {interval && (
          <span class="hint">
            [{measure(interval.low)}, {measure(interval.high)}]
          </span>
        )}
      </span>
    </span>
  );
}
