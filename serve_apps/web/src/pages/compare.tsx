import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { linkOf, requestOf, type View, viewOf } from "../compare/query";
import { ComparedChart } from "../parts/compare/chart";
import { Controls } from "../parts/compare/controls";
import { Export } from "../parts/compare/export";
import { Groups } from "../parts/compare/groups";
import { Settings } from "../parts/compare/settings";
import { Heading } from "../parts/heading";
import { usePolled } from "../parts/polled";
import { Alert } from "../parts/problem";
import { isFinal } from "../runs/list";
import type { Comparison } from "../types";

const LOOK_MS = 10_000;
/** The address follows a slider when that has settled: browsers count its changes. */
const LINK_MS = 200;

/** `query`: the trainings and the view, as the address has them when the page opens. */
export function ComparePage({ query }: { query: URLSearchParams }) {
  const [view, setView] = useState(() => viewOf(query));
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const path = requestOf(query, view);
  const { found: comparison, problem, again } = usePolled<Comparison>(path, LOOK_MS, isRunning);
  const linking = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(linking.current), []);
  const picture = useRef<(() => SVGSVGElement) | null>(null);
  const change = (changes: Partial<View>) => {
    const next = { ...view, ...changes };
    setView(next);
    clearTimeout(linking.current);
    const link = () => history.replaceState(null, "", linkOf(query, next));
    if ("smoothing" in changes) linking.current = setTimeout(link, LINK_MS);
    else link();
  };
  const tables = useMemo(
    () =>
      comparison && (
        <>
          <Groups groups={comparison.groups} hidden={hidden} setHidden={setHidden} />
          <Settings groups={comparison.groups} settings={comparison.settings} />
        </>
      ),
    [comparison, hidden],
  );
  return (
    <>
      <div class="page-head">
        <Heading title="Compare trainings" />
        {comparison && <Export comparison={comparison} picture={picture} />}
      </div>
      <Alert problem={problem} onRetry={again} />
      {path === null ? (
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
          {tables}
        </>
      )}
    </>
  );
}

/** True while a training can still add to its curve. */
const isRunning = ({ groups }: Comparison): boolean => groups.some(({ runs }) => runs.some((run) => !isFinal(run)));
