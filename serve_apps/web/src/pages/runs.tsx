import { useEffect, useMemo, useState } from "preact/hooks";
import { ago, dateTime, measure, shortId } from "../format";
import { Annotations, EditAnnotations } from "../parts/annotations";
import { Simulated, StateBadge, VerdictBadge } from "../parts/badge";
import { Heading } from "../parts/heading";
import { Meter } from "../parts/meter";
import { Alert } from "../parts/problem";
import { type Order, RunFilters } from "../parts/run-filters";
import { useSubmitters } from "../parts/submitters";
import { foldEvaluation, foldTraining } from "../runs/fold";
import { RunList } from "../runs/list";
import { settings } from "../runs/settings";
import type { Names } from "../runs/submitters";
import { current, evaluatesFreely, may } from "../session";
import type { Evaluation, Training } from "../types";

export function RunsPage() {
  const { api, live } = current();
  const trainings = useMemo(() => new RunList<Training>(api, live, "trainings", foldTraining), [api, live]);
  const evaluations = useMemo(() => new RunList<Evaluation>(api, live, "evaluations", foldEvaluation), [api, live]);
  const submitters = useSubmitters();
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const tick = (id: string) => {
    const next = new Set(ticked);
    if (!next.delete(id)) next.add(id);
    setTicked(next);
  };
  return (
    <>
      <div class="page-head">
        <Heading title="Runs" />
        <div class="actions">
          {ticked.size > 0 && (
            <a class="button secondary" href={`#/compare?${[...ticked].map((id) => `id=${id}`).join("&")}`}>
              Compare {ticked.size} {ticked.size === 1 ? "training" : "trainings"}
            </a>
          )}
          {evaluatesFreely.value && (
            <a class="button secondary" href="#/evaluate">
              Evaluate code
            </a>
          )}
          {may("train") && (
            <a class="button" href="#/train">
              Train a policy
            </a>
          )}
        </div>
      </div>
      <Runs
        title="Trainings"
        list={trainings}
        none={may("train") ? "Trainings appear here. Start one with “Train a policy”." : "No trainings."}
        head={TRAINING_HEAD}
        states={TRAINING_STATES}
        orders={TRAINING_ORDERS}
        mayEdit={may("train")}
        submitters={submitters.names}
        row={(training) => trainingRow(training, submitters.name(training.submitter), ticked.has(training.id), tick)}
      />
      <Runs
        title="Evaluations"
        list={evaluations}
        none={
          evaluatesFreely.value ? "Evaluations appear here. Submit a program with “Evaluate code”." : "No evaluations."
        }
        head={EVALUATION_HEAD}
        states={EVALUATION_STATES}
        orders={EVALUATION_ORDERS}
        mayEdit={may("evaluate")}
        submitters={submitters.names}
        row={(evaluation) => evaluationRow(evaluation, submitters.name(evaluation.submitter))}
      />
    </>
  );
}

/** Rows shown at first: of both lists, so that the second is not below a screen of the first. */
const FIRST = 8;
const MORE = 25;

const TRAINING_HEAD = ["Training", "State", "Progress", "Training return", "Policy evaluation", "Started"];
const EVALUATION_HEAD = ["Evaluation", "State", "Verdict", "Score", "Submitted"];

const TRAINING_STATES = [
  "queued",
  "starting",
  "running",
  "paused",
  "interrupted",
  "succeeded",
  "stopped",
  "failed",
] satisfies Training["state"][];
const EVALUATION_STATES = ["queued", "running", "finished", "cancelled", "failed"] satisfies Evaluation["state"][];
const EVALUATION_ORDERS: Order[] = ["-created_at", "created_at", "-finished_at", "name", "state", "-score"];
const TRAINING_ORDERS: Order[] = [...EVALUATION_ORDERS, "env", "-env_steps"];

function trainingRow(training: Training, by: string | null, ticked: boolean, tick: (id: string) => void) {
  const mean = training.metrics["rollout/episode_return_mean"];
  return (
    <>
      <th scope="row">
        <input
          type="checkbox"
          class="tick"
          aria-label={`Compare ${training.request.env} ${shortId(training.id)}`}
          checked={ticked}
          onChange={() => tick(training.id)}
        />
        <a href={`#/trainings/${training.id}`}>
          {training.name ?? training.request.env} <span class="id">{shortId(training.id)}</span>
        </a>
        <p class="hint settings">
          {training.name && `${training.request.env} · `}
          {settings(training)}
          {by && ` · by ${by}`}
        </p>
        <Annotations {...training} />
      </th>
      <td>
        <StateBadge state={training.state} /> {training.simulated && <Simulated />}
      </td>
      <td class="wide">
        <Meter training={training} />
      </td>
      <td class="number" data-label="Training return">
        {mean === undefined ? "–" : measure(mean)}
      </td>
      <td class="number" data-label="Policy evaluation">
        {training.evaluation ? measure(training.evaluation.episode_return_mean) : "–"}
      </td>
      <td>
        <When at={training.created_at} />
      </td>
    </>
  );
}

function evaluationRow(evaluation: Evaluation, by: string | null) {
  const { id, state, verdict, score, max_score, created_at } = evaluation;
  return (
    <>
      <th scope="row">
        <a href={`#/evaluations/${id}`}>
          {evaluation.name ?? "Submission"} <span class="id">{shortId(id)}</span>
        </a>
        {by && <p class="hint settings">by {by}</p>}
        <Annotations {...evaluation} />
      </th>
      <td>
        <StateBadge state={state} />
      </td>
      <td class="wide">{verdict ? <VerdictBadge verdict={verdict} /> : "–"}</td>
      <td class="number">{score === null ? "–" : `${measure(score)} / ${measure(max_score)}`}</td>
      <td>
        <When at={created_at} />
      </td>
    </>
  );
}

const When = ({ at }: { at: string }) => (
  <time dateTime={at} title={dateTime(at)}>
    {ago(at)}
  </time>
);

const FILTERS = ["search", "label", "state"] as const;

interface RunsProps<T extends Evaluation | Training> {
  title: string;
  list: RunList<T>;
  none: string;
  head: string[];
  row: (document: T) => preact.JSX.Element;
  states: readonly string[];
  orders: readonly Order[];
  submitters: Names;
  mayEdit: boolean;
}

function Runs<T extends Evaluation | Training>({
  title,
  list,
  none,
  head,
  row,
  states,
  orders,
  submitters,
  mayEdit,
}: RunsProps<T>) {
  useEffect(() => {
    list.refresh();
    return () => list.close();
  }, [list]);
  const [most, setMost] = useState(FIRST);
  const [edited, setEdited] = useState<string | null>(null);
  const edit = (id: string | null) => {
    list.held = id !== null;
    setEdited(id);
  };
  const filtered = FILTERS.some((name) => list.filter.value[name].trim());
  const all = list.items.value;
  const items = all?.slice(0, most) ?? null;
  const heading = `list-${title.toLowerCase()}`;
  return (
    <section class="card" aria-labelledby={heading}>
      <header class="card-head">
        <h2 id={heading}>{title}</h2>
        <RunFilters title={title} list={list} states={states} orders={orders} submitters={submitters} />
      </header>
      <Alert problem={list.problem.value} onRetry={() => list.refresh()} />
      {items === null ? (
        !list.problem.value && <p class="empty">Loading…</p>
      ) : items.length === 0 ? (
        <p class="empty">{filtered ? `No ${title.toLowerCase()} found.` : none}</p>
      ) : (
        <div class="scroll">
          <table class="runs" aria-labelledby={heading}>
            <thead>
              <tr>
                {head.map((name) => (
                  <th scope="col" key={name}>
                    {name}
                  </th>
                ))}
                <th scope="col">
                  <span class="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((document) =>
                document.id === edited ? (
                  <tr key={document.id}>
                    <td colSpan={head.length + 1} class="edited">
                      <EditAnnotations run={document} list={list} onDone={() => edit(null)} />
                    </td>
                  </tr>
                ) : (
                  <tr key={document.id}>
                    {row(document)}
                    <td>
                      {mayEdit && (
                        <button
                          type="button"
                          class="quiet"
                          aria-label={`Edit ${document.name ?? shortId(document.id)}`}
                          onClick={() => edit(document.id)}
                        >
                          Edit
                        </button>
                      )}
                    </td>
                  </tr>
                ),
              )}
            </tbody>
          </table>
        </div>
      )}
      {(list.more.value || (all?.length ?? 0) > most) && (
        <p class="pad">
          <button
            type="button"
            class="secondary"
            onClick={() => {
              if (most + MORE > (all?.length ?? 0) && list.more.value) list.loadMore();
              setMost(most + MORE);
            }}
          >
            Show older {title.toLowerCase()}
          </button>
        </p>
      )}
    </section>
  );
}
