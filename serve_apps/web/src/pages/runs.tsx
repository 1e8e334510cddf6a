import { useEffect, useMemo } from "preact/hooks";
import { ago, dateTime, measure, shortId } from "../format";
import { Simulated, StateBadge, VerdictBadge } from "../parts/badge";
import { Heading } from "../parts/heading";
import { Meter } from "../parts/meter";
import { Alert } from "../parts/problem";
import { foldEvaluation, foldTraining } from "../runs/fold";
import { RunList } from "../runs/list";
import { current } from "../session";
import type { Evaluation, Training } from "../types";

export function RunsPage() {
  const { api, live } = current();
  const trainings = useMemo(() => new RunList<Training>(api, live, "trainings", foldTraining), [api, live]);
  const evaluations = useMemo(() => new RunList<Evaluation>(api, live, "evaluations", foldEvaluation), [api, live]);
  return (
    <>
      <div class="page-head">
        <Heading title="Runs" />
        <div class="actions">
          <a class="button secondary" href="#/evaluate">
            Evaluate code
          </a>
          <a class="button" href="#/train">
            Train a policy
          </a>
        </div>
      </div>
      <Runs title="Trainings" list={trainings} none="No trainings yet." head={TRAINING_HEAD} row={trainingRow} />
      <Runs
        title="Evaluations"
        list={evaluations}
        none="No evaluations yet."
        head={EVALUATION_HEAD}
        row={evaluationRow}
      />
    </>
  );
}

const TRAINING_HEAD = ["Training", "State", "Progress", "Episode return", "Queued"];
const EVALUATION_HEAD = ["Evaluation", "State", "Verdict", "Score", "Submitted"];

function trainingRow(training: Training) {
  const mean = training.metrics["rollout/episode_return_mean"];
  return (
    <>
      <th scope="row">
        <a href={`#/trainings/${training.id}`}>
          {training.request.env} <span class="id">{shortId(training.id)}</span>
        </a>
      </th>
      <td>
        <StateBadge state={training.state} /> {training.simulated && <Simulated />}
      </td>
      <td class="wide">
        <Meter training={training} />
      </td>
      <td class="number" data-label="Return">
        {mean === undefined ? "–" : measure(mean)}
      </td>
      <td>
        <When at={training.created_at} />
      </td>
    </>
  );
}

function evaluationRow(evaluation: Evaluation) {
  const { id, state, verdict, score, max_score, created_at } = evaluation;
  return (
    <>
      <th scope="row">
        <a href={`#/evaluations/${id}`}>
          Submission <span class="id">{shortId(id)}</span>
        </a>
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

interface RunsProps<T extends Evaluation | Training> {
  title: string;
  list: RunList<T>;
  none: string;
  head: string[];
  row: (document: T) => preact.JSX.Element;
}

function Runs<T extends Evaluation | Training>({ title, list, none, head, row }: RunsProps<T>) {
  useEffect(() => {
    list.refresh();
    return () => list.close();
  }, [list]);
  const items = list.items.value;
  const heading = `list-${title.toLowerCase()}`;
  return (
    <section class="card" aria-labelledby={heading}>
      <header class="card-head">
        <h2 id={heading}>{title}</h2>
      </header>
      <Alert problem={list.problem.value} onRetry={() => list.refresh()} />
      {items === null ? (
        !list.problem.value && <p class="empty">Loading…</p>
      ) : items.length === 0 ? (
        <p class="empty">{none}</p>
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
              </tr>
            </thead>
            <tbody>
              {items.map((document) => (
                <tr key={document.id}>{row(document)}</tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list.more.value && (
        <p class="pad">
          <button type="button" class="secondary" onClick={() => list.loadMore()}>
            Show older ones
          </button>
        </p>
      )}
    </section>
  );
}
