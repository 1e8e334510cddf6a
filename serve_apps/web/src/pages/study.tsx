import { useSignal } from "@preact/signals";
import type { Api } from "../api";
import { count, dateTime, measure, shortId, words } from "../format";
import { Simulated, StateBadge } from "../parts/badge";
import { Heading } from "../parts/heading";
import { Journal } from "../parts/journal";
import { Load } from "../parts/load";
import { Alert } from "../parts/problem";
import { RunControls } from "../parts/run-controls";
import { Best } from "../parts/studies/best";
import { Importances } from "../parts/studies/importances";
import { ParallelCoordinates } from "../parts/studies/parallel-coordinates";
import { Trials } from "../parts/studies/trials";
import { TextBlock } from "../parts/text";
import { may } from "../session";
import { StudyFeed } from "../studies/feed";
import type { Brushes } from "../studies/parallel";
import { plain, trialsOf } from "../studies/trials";
import type { Study } from "../types";

const follow = (live: ConstructorParameters<typeof StudyFeed>[0], study: Study) => new StudyFeed(live, study);

export function StudyPage({ id }: { id: string }) {
  return (
    <Load path={`v1/studies/${encodeURIComponent(id)}`} make={follow}>
      {(feed, api) => <Loaded feed={feed} api={api} />}
    </Load>
  );
}

function Loaded({ feed, api }: { feed: StudyFeed; api: Api }) {
  const study = feed.document.value;
  const { id, request, state } = study;
  const marked = useSignal<number | null>(null);
  const brushes = useSignal<Brushes>({});
  const name = request.name ?? request.training.env;
  return (
    <>
      <div class="page-head">
        <div>
          <Heading title={`${name} ${shortId(id)}`}>
            {name} <span class="id">{shortId(id)}</span>
          </Heading>
          <p class="states">
            <StateBadge state={state} /> {request.training.engine === "simulated" && <Simulated />}
            {feed.wish.value && <span class="hint">{words(feed.wish.value)} requested…</span>}
            {study.stop_reason && <span class="hint">{ending(study)}</span>}
          </p>
        </div>
        <div class="controls">
          <div class="actions">
            <a class="button secondary" href={`#/compare?label=study=${id}`}>
              Compare learning curves
            </a>
            {may("train") && (
              <a class="button secondary" href={`#/studies/new?copy=${id}`}>
                Copy study
              </a>
            )}
          </div>
        </div>
        <RunControls
          api={api}
          path={`v1/studies/${id}`}
          state={state}
          wish={feed.wish.value}
          noun="study"
          onStop="Its trainings stop, too, each with a last checkpoint. It cannot be resumed."
        />
      </div>
      <p class="visually-hidden" role="status">
        Study {state}
      </p>
      {study.message && <p class={state === "failed" ? "alert" : "banner"}>{study.message}</p>}
      <Alert problem={feed.problem.value} />
      <Progress study={study} />
      <div class="columns">
        <Best study={study} />
        <Importances study={study} />
      </div>
      <ParallelCoordinates study={study} marked={marked} brushes={brushes} />
      <Trials study={study} marked={marked} brushes={brushes} />
      <div class="columns">
        <Facts study={study} />
        <Journal entries={feed.journal.value} />
      </div>
    </>
  );
}

function ending({ state, stop_reason }: Study): string {
  const reason = words(stop_reason ?? "");
  return state === "succeeded" ? `${reason} reached` : reason;
}

function Progress({ study }: { study: Study }) {
  const { request, trials, env_steps, best_value, best_trial } = study;
  const most = trialsOf(study);
  const ended = trials.filter(({ finished_at }) => finished_at !== null);
  const running = trials.length - ended.length;
  const pruned = trials.filter(({ state }) => state === "pruned").length;
  const parts = [
    ...(most === null ? [] : [ended.length / most]),
    ...(request.budget_env_steps === null ? [] : [env_steps / request.budget_env_steps]),
  ];
  const part = study.state === "succeeded" ? 1 : Math.min(1, Math.max(0, ...parts));
  const numbers: [name: string, value: string, more: string | undefined][] = [
    ["Trials ended", count(ended.length), most === null ? undefined : `of ${count(most)}`],
    ["Running", count(running), `${count(request.parallel)} trainings at a time`],
    ["Pruned", count(pruned), request.pruner ? `by ${request.pruner.kind}` : "no pruner"],
    [
      "Env steps",
      count(env_steps),
      request.budget_env_steps === null ? "of ended trainings" : `of ${count(request.budget_env_steps)}`,
    ],
    ["Best return", best_value === null ? "–" : measure(best_value), best_trial === null ? "" : `trial ${best_trial}`],
  ];
  return (
    <section class="card" aria-label="Progress">
      <div class="pad">
        <progress max={1} value={part} aria-label="Progress">
          {Math.round(part * 100)} %
        </progress>
      </div>
      <dl class="numbers">
        {numbers.map(([name, value, more]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {value}
              {more && <span class="hint">{more}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Facts({ study }: { study: Study }) {
  const { request, created_at, finished_at } = study;
  const { training, sampler, pruner } = request;
  const facts: [string, string][] = [
    ["Id", study.id],
    ["Environment", training.env],
    ["Preset", training.preset ?? "the environment's own, if it has one"],
    ["Env steps of a training", training.stop.env_steps == null ? "no limit" : count(training.stop.env_steps)],
    ["Seeds", request.seeds.join(", ")],
    ["Evaluation", `${count(training.evaluation.episodes)} episodes`],
    ["Sampler", optionsOf(sampler)],
    ["Pruner", pruner ? optionsOf(pruner) : "none"],
    ["Target return", request.target_return === null ? "none" : measure(request.target_return)],
    ["Queued", dateTime(created_at)],
    ["Finished", finished_at ? dateTime(finished_at) : "not yet"],
    ...Object.entries(request.space).map(([name, parameter]): [string, string] => [
      name,
      parameter.kind === "categorical"
        ? parameter.choices.map(plain).join(", ")
        : `${plain(parameter.low)} to ${plain(parameter.high)}${parameter.log ? ", logarithmic" : ""}`,
    ]),
  ];
  return (
    <section class="card" aria-labelledby="study-details">
      <header class="card-head">
        <h2 id="study-details">Details</h2>
      </header>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class="pad">
        <TextBlock title="Request" text={JSON.stringify(request, null, 2)} />
      </div>
    </section>
  );
}

/** A method with its options: `tpe, startup trials 10`. */
const optionsOf = ({ kind, ...options }: { kind: string; [name: string]: string | number }): string =>
  [kind, ...Object.entries(options).map(([name, value]) => `${words(name)} ${value}`)].join(", ");
