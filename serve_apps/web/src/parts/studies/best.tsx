/** The best trial of a study, as a configuration to copy and to train with. */
import { measure } from "../../format";
import { may } from "../../session";
import { command, configuration, plain } from "../../studies/trials";
import type { Study } from "../../types";
import { CopyButton } from "../copy";

export function Best({ study }: { study: Study }) {
  const trial = study.trials.find(({ number }) => number === study.best_trial);
  return (
    <section class="card" aria-labelledby="best">
      <header class="card-head">
        <h2 id="best">Best configuration</h2>
        {trial && <span class="hint">trial {trial.number}</span>}
      </header>
      {!trial ? (
        <p class="empty">The best settings appear once a trial has completed.</p>
      ) : (
        <>
          <p class="pad best-value">
            <b>{measure(trial.value ?? 0)}</b>{" "}
            <span class="hint">
              {trial.interval
                ? `95 % interval [${measure(trial.interval.low)}, ${measure(trial.interval.high)}] over ${trial.trainings.length} seeds`
                : "of one seed: more seeds tell how certain it is"}
            </span>
          </p>
          <dl class="facts">
            {Object.entries(trial.hyperparameters).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd class="mono">{plain(value)}</dd>
              </div>
            ))}
          </dl>
          <div class="pad actions wrap">
            {may("train") && trial.trainings[0] && (
              <a class="button" href={`#/train?clone=${trial.trainings[0].training_id}`}>
                Train with these settings
              </a>
            )}
            <CopyButton label="Copy as JSON" text={JSON.stringify(configuration(study, trial), null, 2)} />
            <CopyButton label="Copy as command" text={command(study, trial)} />
          </div>
        </>
      )}
    </section>
  );
}
