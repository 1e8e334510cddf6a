/** The curves of a comparison as one picture: a band a group, drawn as SVG so that it can be saved as it is. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { inks, styleOf } from "../../compare/colours";
import { AXES, type Drawn, described, drawn, EDGE, HEIGHT, scalesOf, titleOf } from "../../compare/drawn";
import { bandPath, linePath, place, type Scale, ticks } from "../../compare/plot";
import type { View } from "../../compare/query";
import { measure } from "../../format";
import { scheme } from "../../theme";
import type { Comparison } from "../../types";
import { Pointer } from "./pointer";

interface Props {
  comparison: Comparison;
  view: View;
  /** Keys of groups that are not drawn. */
  hidden: ReadonlySet<string>;
  picture: preact.RefObject<SVGSVGElement | null>;
}

const LEGEND_LINE = 18;
/** Of all single runs together: of many the lines are coarser, so that they are drawn within a frame. */
const MOST_COLUMNS = 15_000;

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
  const all = useMemo(() => drawn(comparison, view), [comparison, view.smoothing, view.runs, view.evaluations]);
  const groups = useMemo(() => all.filter(({ key }) => !hidden.has(key)), [all, hidden]);
  const scales = useMemo(() => scalesOf(groups, view, width), [groups, view.logX, view.logY, width]);
  const curves = useMemo(() => <Curves groups={groups} scales={scales} dark={dark} />, [groups, scales, dark]);
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
}

function Curves({ groups, scales: { x, y }, dark }: CurvesProps) {
  const many = groups.reduce((sum, { runs }) => sum + runs.length, 0);
  const column = Math.max(1, (many * (x.to - x.from)) / MOST_COLUMNS);
  return (
    <g>
      {groups.map(({ index, band }) => (
        <path key={index} d={bandPath(x, y, band)} fill={styleOf(index, dark).colour} fill-opacity="0.18" />
      ))}
      {groups.flatMap(({ index, runs }) =>
        runs.map((run, at) => (
          <path
            key={`${index}-${at}`}
            d={linePath(x, y, run, column)}
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
