import { useState } from "preact/hooks";
import { ago, count, dateTime, measure, shortId } from "../format";
import { StateBadge } from "../parts/badge";
import { Heading } from "../parts/heading";
import { usePolled } from "../parts/polled";
import { Alert } from "../parts/problem";
import { may } from "../session";
import { settingsOf, trialsOf } from "../studies/trials";
import type { Study, StudyState } from "../types";

const LOOK_MS = 4_000;
const FIRST = 25;
/** Most documents that the platform gives at a time. */
const MOST = 200;
const HEAD = ["Study", "State", "Trials", "Best return", "Best settings", "Started"];
const STATES: StudyState[] = ["queued", "running", "paused", "succeeded", "stopped", "failed"];

interface Page {
  items: Study[];
  next_cursor: string | null;
}

export function StudiesPage() {
  const [state, setState] = useState("");
  const [most, setMost] = useState(FIRST);
  const query = new URLSearchParams({ limit: String(most), ...(state && { state }) });
  const { found, problem, again } = usePolled<Page>(`v1/studies?${query}`, LOOK_MS);
  return (
    <>
      <div class="page-head">
        <Heading title="Studies" />
        <div class="actions">
          {may("train") && (
            <a class="button" href="#/studies/new">
              Start a study
            </a>
          )}
        </div>
      </div>
      <section class="card" aria-labelledby="list-studies">
        <header class="card-head">
          <h2 id="list-studies">Hyperparameter searches</h2>
          <div class="filters">
            <select
              aria-label="State of studies"
              value={state}
              onChange={(event) => setState(event.currentTarget.value)}
            >
              <option value="">Any state</option>
              {STATES.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </div>
        </header>
        <Alert problem={problem} onRetry={again} />
        {found === null ? (
          !problem && <p class="empty">Loading…</p>
        ) : found.items.length === 0 ? (
          <p class="empty">
            {state
              ? `No study is ${state}.`
              : may("train")
                ? "Studies appear here. A study trains with many settings and ranks them: start one with “Start a study”, or with rlp study create."
                : "No studies."}
          </p>
        ) : (
          <div class="scroll">
            <table class="runs" aria-labelledby="list-studies">
              <thead>
                <tr>
                  {HEAD.map((name) => (
                    <th scope="col" key={name}>
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {found.items.map((study) => (
                  <Row key={study.id} study={study} />
                ))}
              </tbody>
            </table>
          </div>
        )}
        {found?.next_cursor && most < MOST && (
          <p class="pad">
            <button type="button" class="secondary" onClick={() => setMost(Math.min(MOST, most + FIRST))}>
              Show older studies
            </button>
          </p>
        )}
      </section>
    </>
  );
}

function Row({ study }: { study: Study }) {
  const { id, request, state, trial_count, best_value, best_hyperparameters, created_at } = study;
  const most = trialsOf(study);
  const searched = Object.keys(request.space).join(", ") || "seeds alone";
  return (
    <tr>
      <th scope="row">
        <a href={`#/studies/${id}`}>
          {request.name ?? request.training.env} <span class="id">{shortId(id)}</span>
        </a>
        <p class="hint settings">
          {request.name && `${request.training.env} · `}
          {request.sampler.kind} over {searched}
        </p>
      </th>
      <td>
        <StateBadge state={state} />
      </td>
      <td class="number" data-label="Trials">
        {count(trial_count)}
        {most !== null && <span class="hint"> of {count(most)}</span>}
      </td>
      <td class="number" data-label="Best return">
        {best_value === null ? "–" : measure(best_value)}
      </td>
      <td class="settings" data-label="Best settings">
        {best_hyperparameters ? settingsOf(best_hyperparameters) : "–"}
      </td>
      <td>
        <time dateTime={created_at} title={dateTime(created_at)}>
          {ago(created_at)}
        </time>
      </td>
    </tr>
  );
}
