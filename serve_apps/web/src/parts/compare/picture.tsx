/** The picture of a comparison as SVG: axes, legend and, where it is saved as it is, the curves. */
import { render } from "preact";
import { inks, styleOf } from "../../compare/colours";
import { AXES, type Drawn, described, EDGE, HEIGHT, OPACITY, type Scales, titleOf } from "../../compare/drawn";
import { bandPath, linePath, place, type Tick, ticks } from "../../compare/plot";
import { measure } from "../../format";
import type { Comparison } from "../../types";

const LEGEND_LINE = 18;

export interface PictureProps {
  groups: Drawn[];
  scales: Scales;
  comparison: Comparison;
  width: number;
  dark: boolean;
}

/** Ticks of both axes. */
export const ticksOf = ({ x, y }: Scales, width: number): { x: Tick[]; y: Tick[] } => ({
  x: ticks(x, Math.max(2, Math.floor(width / 110))),
  y: ticks(y, 7),
});

/** A picture that needs nothing else, to be saved. */
export function standalone(props: PictureProps): SVGSVGElement {
  const host = document.createElement("div");
  render(<Picture {...props} whole />, host);
  return host.firstElementChild as SVGSVGElement;
}

/** `whole`: with background, grid and curves, which the page has on a canvas below. */
export function Picture({ groups, scales, comparison, width, dark, whole }: PictureProps & { whole?: boolean }) {
  const { text, page, strong } = inks(dark);
  const height = HEIGHT + groups.length * LEGEND_LINE;
  const at = ticksOf(scales, width);
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      font-family="system-ui, sans-serif"
      font-size="12"
      role="img"
      aria-label={`${comparison.metric} over ${AXES[comparison.x]}. ${groups.map(described).join(" ")}`}
    >
      {whole && <rect width={width} height={height} fill={page} />}
      {whole && <Grid at={at} width={width} dark={dark} />}
      {at.y.map(({ at, label }) => (
        <text key={at} x={EDGE.left - 8} y={at + 4} text-anchor="end" fill={text}>
          {label}
        </text>
      ))}
      {at.x.map(({ at, label }) => (
        <text key={at} x={at} y={HEIGHT - EDGE.bottom + 17} text-anchor="middle" fill={text}>
          {label}
        </text>
      ))}
      <text x={(EDGE.left + width - EDGE.right) / 2} y={HEIGHT - EDGE.bottom + 36} text-anchor="middle" fill={text}>
        {AXES[comparison.x]}
      </text>
      {whole && <Curves groups={groups} scales={scales} dark={dark} />}
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
  );
}

const line = (dashes: string, width: number) => ({
  "stroke-width": width,
  fill: "none",
  ...(dashes ? { "stroke-dasharray": dashes } : {}),
});

function Grid({ at, width, dark }: { at: { x: Tick[]; y: Tick[] }; width: number; dark: boolean }) {
  return (
    <g stroke={inks(dark).grid}>
      {at.y.map(({ at }) => (
        <line key={at} x1={EDGE.left} x2={width - EDGE.right} y1={at} y2={at} />
      ))}
      {at.x.map(({ at }) => (
        <line key={at} x1={at} x2={at} y1={EDGE.top} y2={HEIGHT - EDGE.bottom} />
      ))}
    </g>
  );
}

function Curves({ groups, scales: { x, y }, dark }: Pick<PictureProps, "groups" | "scales" | "dark">) {
  return (
    <g>
      {groups.map(({ index, band }) => (
        <path key={index} d={bandPath(x, y, band)} fill={styleOf(index, dark).colour} fill-opacity={OPACITY.band} />
      ))}
      {groups.flatMap(({ index, runs }) =>
        runs.map((run, at) => (
          <path
            key={`${index}-${at}`}
            d={linePath(x, y, run)}
            stroke={styleOf(index, dark).colour}
            stroke-opacity={OPACITY.run}
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
            <g key={`${index}-${at}`} stroke={colour} stroke-opacity={OPACITY.evaluation}>
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
