import { useSignal } from "@preact/signals";
import type { Api } from "../api";
import { count, dateTime, duration, measure, queued, shortId, words } from "../format";
import { Simulated, StateBadge } from "../parts/badge";
import { Checkpoints } from "../parts/checkpoints";
import { Episodes } from "../parts/episodes";
import { Heading } from "../parts/heading";
import { Journal } from "../parts/journal";
import { Load } from "../parts/load";
import { Meter } from "../parts/meter";
import { Metrics } from "../parts/metrics";
import { Alert } from "../parts/problem";
import { RunControls } from "../parts/run-controls";
import { useSubmitters } from "../parts/submitters";
import { TextBlock } from "../parts/text";
import { TrainingFeed } from "../runs/feed";
import { isFinal } from "../runs/list";
import { may } from "../session";
import type { EvaluationReport, JsonValue, Training } from "../types";

const follow = (live: ConstructorParameters<typeof TrainingFeed>[0], training: Training) =>
  new TrainingFeed(live, training);

export function TrainingPage({ id }: { id: string }) {
  return (
    <Load path={`v1/trainings/${encodeURIComponent(id)}`} make={follow}>
      {(feed, api) => <Loaded feed={feed} api={api} />}
    </Load>
  );
}

function Loaded({ feed, api }: { feed: TrainingFeed; api: Api }) {
  const training = feed.document.value;
  const { id, request } = training;
  const picked = useSignal<number | null>(null);
  return (
    <>
      <div class="page-head">
        <div>
          <Heading title={`${request.env} ${shortId(id)}`}>
            {request.env} <span class="id">{shortId(id)}</span>
          </Heading>
          <p class="states">
            <StateBadge state={training.state} /> {training.simulated && <Simulated />}
            {training.state === "queued" && <span class="hint">{queued(training.queue_position)}</span>}
            {feed.wish.value && <span class="hint">{words(feed.wish.value)} requested…</span>}
            {training.stop_reason && <span class="hint">{ending(training)}</span>}
          </p>
        </div>
        <Again training={training} />
        <RunControls
          api={api}
          path={`v1/trainings/${id}`}
          state={training.state}
          wish={feed.wish.value}
          noun="training"
          onStop="It saves a last checkpoint and cannot be resumed."
        />
      </div>
      <p class="visually-hidden" role="status">
        Training {training.state}
      </p>
      {training.simulated && (
        <p class="banner calm">Simulated: nothing is trained. The curve is made up from the seed.</p>
      )}
      {training.message && <p class={training.state === "failed" ? "alert" : "banner"}>{training.message}</p>}
      <Alert problem={feed.problem.value} />
      <section class="card" aria-label="Progress">
        <div class="pad">
          <Meter training={training} />
        </div>
        <Numbers training={training} />
      </section>
      <div class="curve">
        <Metrics feed={feed} picked={picked} />
        <Episodes feed={feed} api={api} picked={picked} />
      </div>
      <div class="columns">
        <Checkpoints feed={feed} api={api} />
        <Journal entries={feed.journal.value} />
      </div>
      <Details training={training} />
    </>
  );
}

function ending({ state, stop_reason }: Training): string {
  const reason = words(stop_reason ?? "");
  return state === "succeeded" ? `${reason} reached` : reason;
}

/** Ways to train on from here: with more steps once it has ended, or with other settings. */
function Again({ training }: { training: Training }) {
  if (!may("train")) return null;
  return (
    <div class="controls push">
      <div class="actions">
        {isFinal(training) && training.checkpoint && (
          <a class="button" href={`#/train?continue=${training.id}`}>
            Continue training
          </a>
        )}
        <a class="button secondary" href={`#/train?clone=${training.id}`}>
          Clone with changes
        </a>
      </div>
    </div>
  );
}

function Numbers({ training: { progress, metrics, evaluation, restarts } }: { training: Training }) {
  const metric = (name: string) => metrics[name];
  const numbers: [string, string | null, (string | undefined)?][] = [
    ["Training return", shown(metric("rollout/episode_return_mean"), measure), "mean of the last 100 episodes"],
    [
      "Policy evaluation",
      shown(evaluation?.episode_return_mean, measure),
      evaluation ? spread(evaluation) : "mean return without exploration",
    ],
    ["Env steps", count(progress.env_steps)],
    ["Env steps/s", shown(metric("time/fps"), count)],
    ["Episodes", count(progress.episodes)],
    ["Iteration", count(progress.iteration)],
    ["Training time", duration(progress.train_wall_s)],
    ["Restarts", restarts > 0 ? count(restarts) : null],
  ];
  return (
    <dl class="numbers">
      {numbers.map(
        ([name, value, more]) =>
          value !== null && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                {value}
                {more && <span class="hint">{more}</span>}
              </dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** How far the returns spread, and how certain that makes their mean. */
function spread({ episodes, episode_return_std: std }: EvaluationReport): string {
  const error = std / Math.sqrt(episodes);
  return `mean of ${count(episodes)} episodes ± ${measure(error)} (standard error; deviation ${measure(std)})`;
}

const shown = (value: number | undefined, format: (value: number) => string) =>
  value === undefined ? "–" : format(value);

function Details({ training }: { training: Training }) {
  const by = useSubmitters().name(training.submitter);
  const { request, created_at, started_at, finished_at, manifest } = training;
  const engine = (manifest?.engine ?? {}) as { hyperparameters?: Record<string, JsonValue>; preset?: string | null };
  const facts = [
    ["Id", training.id],
    ["Engine", request.engine === "rllib" ? "PPO on RLlib" : "simulated"],
    ["Seed", String(request.seed)],
    ["Preset", engine.preset ?? request.preset ?? (manifest ? "none" : "the environment's own, if it has one")],
    ...(by ? [["Submitted by", by] as const] : []),
    ["Queued", dateTime(created_at)],
    ["Started", started_at ? dateTime(started_at) : "not yet"],
    ["Finished", finished_at ? dateTime(finished_at) : "not yet"],
    ["Continues from", request.resume_from ?? "nothing: from scratch"],
  ];
  return (
    <details class="card">
      <summary class="card-head">
        <h2>Details</h2>
        <span class="hint">hyperparameters, request, manifest</span>
      </summary>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {engine.hyperparameters && (
        <>
          <h3 class="pad">Hyperparameters</h3>
          <dl class="facts">
            {Object.entries(engine.hyperparameters).map(([name, value]) => (
              <div key={name}>
                <dt>
                  {name}
                  {name in request.hyperparameters && " (set)"}
                </dt>
                <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
      <div class="pad columns">
        <TextBlock title="Request" text={pretty(request)} />
        {manifest && <TextBlock title="Manifest" text={pretty(manifest)} />}
      </div>
    </details>
  );
}

const pretty = (value: object) => JSON.stringify(value, null, 2);
