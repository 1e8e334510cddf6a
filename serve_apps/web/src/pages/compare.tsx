import { useEffect, useRef, useState } from "preact/hooks";
import { groupKey, numbered, styleOf } from "../compare/colours";
import { csvOf } from "../compare/csv";
import { linkOf, requestOf, type View, viewOf } from "../compare/query";
import { measure, shortId } from "../format";
import { ComparedChart, isReturn, titleOf } from "../parts/compared-chart";
import { Heading } from "../parts/heading";
import { Alert } from "../parts/problem";
import { save } from "../parts/save";
import { Problem } from "../problem";
import { isFinal } from "../runs/list";
import { current } from "../session";
import { scheme } from "../theme";
import type { ComparedGroup, ComparedSetting, Comparison, JsonValue } from "../types";

const LOOK_MS = 10_000;

/** `query`: the trainings and the view, as the address has them when the page opens. */
export function ComparePage({ query }: { query: URLSearchParams }) {
  const [view, setView] = useState(() => viewOf(query));
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const { comparison, problem, again } = useComparison(requestOf(query, view));
  const picture = useRef<SVGSVGElement>(null);
  const change = (changes: Partial<View>) => {
    const next = { ...view, ...changes };
    setView(next);
    history.replaceState(null, "", linkOf(query, next));
  };
  return (
    <>
      <div class="page-head">
        <Heading title="Compare trainings" />
        {comparison && (
          <div class="actions">
            <button type="button" class="secondary" onClick={() => saveCsv(comparison)}>
              Save as CSV
            </button>
            <button type="button" class="secondary" onClick={() => picture.current && saveSvg(picture.current)}>
              Save as SVG
            </button>
          </div>
        )}
      </div>
      <Alert problem={problem} onRetry={again} />
      {requestOf(query, view) === null ? (
        <p class="empty">
          Nothing to compare. Tick trainings in <a href="#/runs">the list of runs</a>, or open a link such as{" "}
          <code>#/compare?label=study=lr</code>.
        </p>
      ) : comparison === null ? (
        !problem && <p class="empty">Loading…</p>
      ) : comparison.groups.length === 0 ? (
        <p class="empty">No training was found.</p>
      ) : (
        <>
          {comparison.left_out > 0 && (
            <p class="banner">
              {comparison.left_out} more trainings were found. The newest 100 are compared; filter for fewer.
            </p>
          )}
          <section class="card" aria-labelledby="curves">
            <header class="card-head">
              <h2 id="curves">Learning curves</h2>
              <span class="hint">interquartile mean of each group, with its 95 % bootstrap interval</span>
            </header>
            <div class="pad">
              <Controls comparison={comparison} view={view} change={change} />
              <ComparedChart comparison={comparison} view={view} hidden={hidden} picture={picture} />
            </div>
          </section>
          <Groups groups={comparison.groups} hidden={hidden} setHidden={setHidden} />
          <Settings groups={comparison.groups} settings={comparison.settings} />
        </>
      )}
    </>
  );
}

/** The comparison of `path`, read again while one of its trainings is not final. */
function useComparison(path: string | null) {
  const { api } = current();
  const [comparison, setComparison] = useState<Comparison | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (path === null) return;
    let left = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      try {
        const found = await api.get<Comparison>(path);
        if (left) return;
        setComparison(found);
        setProblem(null);
        const running = found.groups.some(({ runs }) => runs.some((run) => !isFinal(run)));
        if (running) timer = setTimeout(look, LOOK_MS);
      } catch (error) {
        if (!left) setProblem(Problem.of(error));
      }
    };
    look();
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [api, path, attempt]);
  return { comparison, problem, again: () => setAttempt(attempt + 1) };
}

interface ControlsProps {
  comparison: Comparison;
  view: View;
  change: (changes: Partial<View>) => void;
}

function Controls({ comparison, view, change }: ControlsProps) {
  const check = (label: string, name: "logX" | "logY" | "runs" | "evaluations") => (
    <label class="check small">
      <input
        type="checkbox"
        checked={view[name]}
        onChange={(event) => change({ [name]: event.currentTarget.checked })}
      />
      {label}
    </label>
  );
  return (
    <div class="compare-controls">
      <label>
        Metric
        <select value={comparison.metric} onChange={(event) => change({ metric: event.currentTarget.value })}>
          {[...new Set([comparison.metric, ...comparison.metrics])].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Axis
        <select value={view.x} onChange={(event) => change({ x: event.currentTarget.value as View["x"] })}>
          <option value="env_steps">Env steps</option>
          <option value="train_wall_s">Wall time</option>
        </select>
      </label>
      <label>
        Smoothing {view.smoothing}
        <input
          type="range"
          min="0"
          max="0.99"
          step="0.01"
          value={view.smoothing}
          onInput={(event) => change({ smoothing: Number(event.currentTarget.value) })}
        />
      </label>
      <div class="checks">
        {check("Logarithmic x", "logX")}
        {check("Logarithmic y", "logY")}
        {check("Single runs", "runs")}
        {isReturn(comparison.metric) && check("Policy evaluations ± 1 SD", "evaluations")}
      </div>
    </div>
  );
}

interface GroupsProps {
  groups: ComparedGroup[];
  hidden: ReadonlySet<string>;
  setHidden: (hidden: ReadonlySet<string>) => void;
}

function Groups({ groups, hidden, setHidden }: GroupsProps) {
  const toggle = (key: string) => {
    const next = new Set(hidden);
    if (!next.delete(key)) next.add(key);
    setHidden(next);
  };
  return (
    <section class="card" aria-labelledby="groups">
      <header class="card-head">
        <h2 id="groups">Groups</h2>
        <span class="hint">trainings that differ in their seed alone; best last value first</span>
      </header>
      <div class="scroll">
        <table class="runs" aria-labelledby="groups">
          <thead>
            <tr>
              {["Group", "Last value", "Last policy evaluation", "Runs"].map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {numberedGroups(groups).map(({ key, number, group: { title, final, evaluation, runs } }) => (
              <tr key={key}>
                <th scope="row">
                  <label class="check">
                    <input type="checkbox" checked={!hidden.has(key)} onChange={() => toggle(key)} />
                    <Key index={number} /> {titleOf(title)}
                  </label>
                </th>
                <td class="number" data-label="Last value">
                  <Interval of={final} />
                </td>
                <td class="number" data-label="Last policy evaluation">
                  <Interval of={evaluation} />
                </td>
                <td class="compared-runs">
                  {runs.map(({ id, name, seed, state }) => (
                    <a key={id} href={`#/trainings/${id}`} title={`${name ?? shortId(id)}, ${state}`}>
                      seed {seed}
                    </a>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function numberedGroups(groups: ComparedGroup[]) {
  const numbers = numbered(groups);
  return groups.map((group, index) => ({ key: groupKey(group), number: numbers[index] ?? 0, group }));
}

function Key({ index }: { index: number }) {
  const { colour, dashes } = styleOf(index, scheme.value === "dark");
  return (
    <svg width="22" height="10" aria-hidden="true">
      <line x2="22" y1="5" y2="5" stroke={colour} stroke-width="2.5" {...(dashes && { "stroke-dasharray": dashes })} />
    </svg>
  );
}

function Interval({ of }: { of: ComparedGroup["final"] }) {
  if (!of) return <>–</>;
  return (
    <>
      {measure(of.iqm)}{" "}
      <span class="hint">
        {of.runs > 1 ? `[${measure(of.low)}, ${measure(of.high)}] of ${of.runs} runs` : "one run"}
      </span>
    </>
  );
}

function Settings({ groups, settings }: { groups: ComparedGroup[]; settings: ComparedSetting[] }) {
  const differing = settings.filter(({ differs }) => differs);
  const [all, setAll] = useState(differing.length === 0);
  const shown = all ? settings : differing;
  const named = numberedGroups(groups);
  return (
    <section class="card" aria-labelledby="settings">
      <header class="card-head">
        <h2 id="settings">Settings</h2>
        <span class="hint">
          <b class="given">Bold</b>: set by the request, over preset and default. <mark class="differs">Marked</mark>:
          not the same in all groups.
        </span>
        <label class="check small">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
          Equal ones, too
        </label>
      </header>
      {shown.length === 0 ? (
        <p class="empty">All settings are equal.</p>
      ) : (
        <div class="scroll">
          <table class="runs compared-settings" aria-labelledby="settings">
            <thead>
              <tr>
                <th scope="col">Setting</th>
                {named.map(({ key, number, group: { title } }) => (
                  <th scope="col" key={key}>
                    <Key index={number} /> {titleOf(title)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.map(({ name, values, given, differs }) => (
                <tr key={name} class={differs ? "differs" : ""}>
                  <th scope="row" class="mono">
                    {name}
                  </th>
                  {named.map(({ key, group: { title } }, index) => (
                    <td key={key} class="mono" data-label={titleOf(title)}>
                      {given[index] ? <b class="given">{text(values[index])}</b> : text(values[index])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

const text = (value: JsonValue | undefined): string =>
  value == null ? "–" : typeof value === "string" ? value : JSON.stringify(value);

const fileName = (text: string): string => text.replace(/[^A-Za-z0-9]+/g, "-");

function saveCsv(comparison: Comparison): void {
  save(new Blob([csvOf(comparison)], { type: "text/csv" }), `${fileName(comparison.metric)}.csv`);
}

function saveSvg(picture: SVGSVGElement): void {
  const content = new XMLSerializer().serializeToString(picture);
  save(new Blob([content], { type: "image/svg+xml" }), "comparison.svg");
}
