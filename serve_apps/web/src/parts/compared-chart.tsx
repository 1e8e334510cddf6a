/** The curves of a comparison as one picture: a band a group, drawn as SVG so that it can be saved as it is. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { groupKey, inks, numbered, styleOf } from "../compare/colours";
import {
  bandPath,
  type Curve,
  linePath,
  nearestIndex,
  place,
  type Scale,
  scaleOf,
  smoothed,
  ticks,
  valueAt,
} from "../compare/plot";
import type { View } from "../compare/query";
import { count, duration, measure } from "../format";
import { scheme } from "../theme";
import type { Comparison } from "../types";

interface Props {
  comparison: Comparison;
  view: View;
  /** Keys of groups that are not drawn. */
  hidden: ReadonlySet<string>;
  picture: preact.RefObject<SVGSVGElement | null>;
}

interface Drawn {
  /** Number of its style. */
  index: number;
  title: string;
  band: Curve;
  runs: Curve[];
  evaluations: { x: number; mean: number; std: number }[];
}

const HEIGHT = 400;
const EDGE = { left: 64, right: 16, top: 14, bottom: 44 };
const LEGEND_LINE = 18;

export const AXES = { env_steps: "env steps", train_wall_s: "seconds of training" } as const;
export const titleOf = (title: string): string => title || "all runs";

export function ComparedChart({ comparison, view, hidden, picture }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(900);
  const dark = scheme.value === "dark";
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(Math.max(280, element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const groups = useMemo(() => drawn(comparison, view, hidden), [comparison, view, hidden]);
  const scales = useMemo(() => scalesOf(groups, view, width), [groups, view, width]);
  const curves = useMemo(
    () => <Curves groups={groups} scales={scales} dark={dark} view={view} />,
    [groups, scales, dark, view],
  );
  const { text, grid, page, strong } = inks(dark);
  const height = HEIGHT + groups.length * LEGEND_LINE;
  const bottom = HEIGHT - EDGE.bottom;
  return (
    <div ref={box} class="compared-chart">
      <svg
        ref={picture}
        xmlns="http://www.w3.org/2000/svg"
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        font-family="system-ui, sans-serif"
        font-size="12"
        role="img"
        aria-label={`${comparison.metric} over ${AXES[comparison.x]}. ${groups.map(described).join(" ")}`}
      >
        <rect width={width} height={height} fill={page} />
        {ticks(scales.y, 7).map(({ at, label }) => (
          <g key={at}>
            <line x1={EDGE.left} x2={width - EDGE.right} y1={at} y2={at} stroke={grid} />
            <text x={EDGE.left - 8} y={at + 4} text-anchor="end" fill={text}>
              {label}
            </text>
          </g>
        ))}
        {ticks(scales.x, Math.max(2, Math.floor(width / 110))).map(({ at, label }) => (
          <g key={at}>
            <line x1={at} x2={at} y1={EDGE.top} y2={bottom} stroke={grid} />
            <text x={at} y={bottom + 17} text-anchor="middle" fill={text}>
              {label}
            </text>
          </g>
        ))}
        <text x={(EDGE.left + width - EDGE.right) / 2} y={bottom + 36} text-anchor="middle" fill={text}>
          {AXES[comparison.x]}
        </text>
        {curves}
        {groups.map(({ index, title, band }, row) => {
          const { colour, dashes } = styleOf(index, dark);
          const at = HEIGHT + row * LEGEND_LINE + 4;
          return (
            <g key={index}>
              <line x1={EDGE.left} x2={EDGE.left + 22} y1={at} y2={at} stroke={colour} {...line(dashes, 2.5)} />
              <text x={EDGE.left + 30} y={at + 4} fill={strong}>
                {titleOf(title)}
                {band.y.length > 0 ? ` – ${measure(band.y.at(-1) ?? 0)}` : ""}
              </text>
            </g>
          );
        })}
      </svg>
      <Pointer groups={groups} scales={scales} axis={comparison.x} dark={dark} />
    </div>
  );
}

const line = (dashes: string, width: number) => ({
  "stroke-width": width,
  fill: "none",
  ...(dashes ? { "stroke-dasharray": dashes } : {}),
});

interface CurvesProps {
  groups: Drawn[];
  scales: { x: Scale; y: Scale };
  dark: boolean;
  view: View;
}

function Curves({ groups, scales: { x, y }, dark, view }: CurvesProps) {
  return (
    <g>
      {groups.map(({ index, band }) => (
        <path key={index} d={bandPath(x, y, band)} fill={styleOf(index, dark).colour} fill-opacity="0.18" />
      ))}
      {view.runs &&
        groups.flatMap(({ index, runs }) =>
          runs.map((run, at) => (
            <path
              key={`${index}-${at}`}
              d={linePath(x, y, run)}
              stroke={styleOf(index, dark).colour}
              stroke-opacity="0.45"
              {...line("", 1)}
            />
          )),
        )}
      {groups.map(({ index, band }) => {
        const { colour, dashes } = styleOf(index, dark);
        return <path key={index} d={linePath(x, y, band)} stroke={colour} {...line(dashes, 2)} />;
      })}
      {groups.flatMap(({ index, evaluations }) =>
        evaluations.map(({ x: across, mean, std }, at) => {
          const [left, middle] = [place(x, across), place(y, mean)];
          if (left === null || middle === null) return null;
          const { colour } = styleOf(index, dark);
          return (
            <g key={`${index}-${at}`} stroke={colour} stroke-opacity="0.6">
              <line
                x1={left}
                x2={left}
                y1={place(y, mean - std) ?? HEIGHT - EDGE.bottom}
                y2={place(y, mean + std) ?? middle}
              />
              <circle cx={left} cy={middle} r="3" fill={colour} />
            </g>
          );
        }),
      )}
    </g>
  );
}

interface PointerProps {
  groups: Drawn[];
  scales: { x: Scale; y: Scale };
  axis: Comparison["x"];
  dark: boolean;
}

/** What is under the pointer. It draws over the picture, so that no curve is drawn again as the pointer moves. */
function Pointer({ groups, scales, axis, dark }: PointerProps) {
  const [pixel, setPixel] = useState<number | null>(null);
  const { from, to } = scales.x;
  const inside = pixel !== null && pixel >= from && pixel <= to;
  const value = inside ? valueAt(scales.x, pixel) : null;
  return (
    <>
      <svg
        class="pointer"
        height={HEIGHT - EDGE.bottom}
        width="100%"
        aria-hidden="true"
        onPointerMove={(event) => setPixel(event.offsetX)}
        onPointerLeave={() => setPixel(null)}
      >
        {value !== null && (
          <>
            <line x1={pixel ?? 0} x2={pixel ?? 0} y1={EDGE.top} y2={HEIGHT - EDGE.bottom} stroke="currentColor" />
            {groups.map(({ index, band }) => {
              const at = nearestIndex(band.x, value);
              const [left, top] = [place(scales.x, band.x[at] ?? NaN), place(scales.y, band.y[at] ?? NaN)];
              if (left === null || top === null) return null;
              return <circle key={index} cx={left} cy={top} r="4" fill={styleOf(index, dark).colour} />;
            })}
          </>
        )}
      </svg>
      <p class="under-pointer hint">
        {value === null
          ? "Move the pointer over the curves to read their values."
          : [
              axis === "env_steps" ? `${count(value)} env steps` : duration(value),
              ...groups.flatMap(({ title, band }) => {
                const at = nearestIndex(band.x, value);
                if (at < 0) return [];
                const [low, high] = [band.low?.[at], band.high?.[at]];
                const bounds = low === undefined || high === undefined ? "" : ` [${measure(low)}, ${measure(high)}]`;
                return [`${titleOf(title)}: ${measure(band.y[at] ?? Number.NaN)}${bounds}`];
              }),
            ].join(" · ")}
      </p>
    </>
  );
}

function drawn({ groups, metric }: Comparison, view: View, hidden: ReadonlySet<string>): Drawn[] {
  const smooth = (values: readonly number[]) => smoothed(values, view.smoothing);
  const numbers = numbered(groups);
  return groups.flatMap((group, at) => {
    if (hidden.has(groupKey(group))) return [];
    const { title, band, runs } = group;
    return [
      {
        index: numbers[at] ?? 0,
        title,
        band: { x: band.x, y: smooth(band.iqm), low: smooth(band.low), high: smooth(band.high) },
        runs: runs.map((run) => ({ x: run.x, y: smooth(run.y) })),
        evaluations: view.evaluations && isReturn(metric) ? runs.flatMap((run) => run.evaluations) : [],
      },
    ];
  });
}

/** The return of policy evaluations has a place among returns only. */
export const isReturn = (metric: string): boolean => metric.endsWith("/episode_return_mean");

function scalesOf(groups: Drawn[], view: View, width: number) {
  function* across() {
    for (const { band, evaluations } of groups) {
      yield* band.x;
      for (const { x } of evaluations) yield x;
    }
  }
  function* up() {
    for (const { band, runs, evaluations } of groups) {
      yield* band.y;
      yield* band.low ?? [];
      yield* band.high ?? [];
      if (view.runs) for (const run of runs) yield* run.y;
      for (const { mean, std } of evaluations) {
        yield mean - std;
        yield mean + std;
      }
    }
  }
  return {
    x: scaleOf(across(), view.logX, EDGE.left, width - EDGE.right),
    y: scaleOf(up(), view.logY, HEIGHT - EDGE.bottom, EDGE.top, 0.05),
  };
}

function described({ title, band }: Drawn): string {
  const last = band.y.at(-1);
  return last === undefined ? `${titleOf(title)}: no values yet.` : `${titleOf(title)}: latest ${measure(last)}.`;
}
