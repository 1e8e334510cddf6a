/** A line over env steps, drawn by uPlot. What it shows is said in words, too: the latest, the least, the greatest. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { count, measure, tickLabels } from "../format";
import { scheme } from "../theme";

export interface Line {
  label: string;
  values: (number | null)[];
  colour: string;
  points?: boolean;
}

interface Props {
  title: string;
  /** Env steps, ascending. */
  x: number[];
  lines: Line[];
  /** Charts of one group show the same point under the pointer. */
  group?: string;
  /** A small one among others: its title says what its only line is. */
  small?: boolean;
  /** A horizontal line: what the training is to reach. */
  target?: number | null | undefined;
  /** A vertical line: the env steps that something beside the chart is of. */
  mark?: number | null | undefined;
  /** Called with the env steps under a click. */
  onPick?: (envSteps: number) => void;
}

export function Chart({ title, x, lines, small = false, group, target, mark, onPick }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shape = lines.map((line) => line.label).join("|");
  const dark = scheme.value === "dark";
  const latest = useRef({ x, lines, target, mark, onPick });
  latest.current = { x, lines, target, mark, onPick };

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const made = new uPlot(
      options(element, latest.current.lines, small, group, () => latest.current),
      data(latest.current),
      element,
    );
    plot.current = made;
    made.over.addEventListener("click", () => {
      const picked = made.cursor.idx == null ? undefined : made.data[0][made.cursor.idx];
      if (picked !== undefined) latest.current.onPick?.(picked);
    });
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: made.height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, dark, small, group]);

  useEffect(() => plot.current?.setData(data({ x, lines })));

  const summary = useMemo(() => lines.map(describe).join(" "), [lines]);
  return (
    <figure class="chart">
      <figcaption>
        <span class="title">{title}</span>
        {lines.map((line) => (
          <span class="legend" key={line.label}>
            {!small && (
              <>
                <Key colour={line.colour} points={line.points === true} /> {line.label}{" "}
              </>
            )}
            <b>{show(line.values.findLast((value) => value !== null))}</b>
          </span>
        ))}
        {target != null && (
          <span class="legend">
            <svg class="target" width="14" height="10" aria-hidden="true">
              <line x2="14" y1="5" y2="5" />
            </svg>{" "}
            to reach <b>{measure(target)}</b>
          </span>
        )}
      </figcaption>
      <div ref={box} class="plot" role="img" aria-label={`${title} over env steps. ${summary}`} />
    </figure>
  );
}

function Key({ colour, points }: { colour: string; points: boolean }) {
  return (
    <svg class={colour} width="14" height="10" aria-hidden="true">
      {points ? <circle cx="7" cy="5" r="4" /> : <rect y="4" width="14" height="2.5" rx="1" />}
    </svg>
  );
}

const show = (value: number | null | undefined) => (value == null ? "–" : measure(value));

function describe({ label, values }: Line): string {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value === null) continue;
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  if (least > greatest) return `${label}: no values yet.`;
  const last = values.findLast((value) => value !== null);
  return `${label}: latest ${show(last)}, least ${measure(least)}, greatest ${measure(greatest)}.`;
}

const data = ({ x, lines }: { x: number[]; lines: Line[] }): uPlot.AlignedData =>
  [x, ...lines.map((line) => line.values)] as uPlot.AlignedData;

function options(
  element: HTMLElement,
  lines: Line[],
  small: boolean,
  group: string | undefined,
  latest: () => Pick<Props, "target" | "mark">,
): uPlot.Options {
  const target = () => latest().target ?? null;
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const axis: uPlot.Axis = {
    stroke: colour("chart-text"),
    font: `12px ${style.fontFamily}`,
    grid: { stroke: colour("chart-grid"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth || 300,
    height: small ? 130 : 290,
    legend: { show: false },
    cursor: { y: false, ...(group ? { sync: { key: group } } : {}), points: { size: 7 } },
    scales: { x: { time: false }, y: { range: (_, least, greatest) => padded(least, greatest, target()) } },
    axes: [
      { ...axis, size: 30, values: (_, ticks, _axis, _space, step) => tickLabels(ticks, step) },
      { ...axis, size: 56, values: (_, ticks, _axis, _space, step) => tickLabels(ticks, step) },
    ],
    series: [
      { label: "env steps" },
      ...lines.map((line) => ({
        label: line.label,
        stroke: colour(line.colour),
        width: line.points ? 0 : 2,
        spanGaps: true,
        // a line through a single point would be invisible
        points: {
          show: (plot: uPlot) => line.points === true || plot.data[0].length === 1,
          size: 8,
          fill: colour(line.colour),
        },
      })),
    ],
    hooks: {
      draw: [
        (plot) => drawTarget(plot, target(), colour("chart-target")),
        (plot) => drawMark(plot, latest().mark ?? null, colour("line-2")),
      ],
      setCursor: [(plot) => showValues(plot, small)],
      init: [(plot) => plot.over.append(Object.assign(document.createElement("div"), { className: "values" }))],
    },
  };
}

/** A range with room around what it shows. A line that hardly moves is flat: its noise does not fill the chart. */
function padded(least: number | null, greatest: number | null, target: number | null): [number, number] {
  const found = [least, greatest, target].filter((value): value is number => value !== null && Number.isFinite(value));
  if (found.length === 0) return [0, 1];
  const low = Math.min(...found);
  const high = Math.max(...found);
  const room = Math.max(0.08 * (high - low), 0.02 * Math.max(Math.abs(low), Math.abs(high))) || 0.08;
  return [low - room, high + room];
}

function drawTarget(plot: uPlot, target: number | null, colour: string): void {
  if (target === null) return;
  const { ctx, bbox } = plot;
  const y = plot.valToPos(target, "y", true);
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 5 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

function drawMark(plot: uPlot, mark: number | null, colour: string): void {
  if (mark === null || plot.data[0].length < 2) return;
  const { ctx, bbox } = plot;
  const x = plot.valToPos(mark, "x", true);
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

/** What is under the pointer; a small chart's is its value alone: the large one of the group says where. */
function showValues(plot: uPlot, small: boolean): void {
  const box = plot.over.querySelector<HTMLElement>(".values");
  const at = plot.cursor.idx;
  if (!box) return;
  box.hidden = at == null || (plot.cursor.left ?? -1) < 0;
  if (at == null) return;
  const values = plot.series.slice(1).flatMap((series, index) => {
    const value = plot.data[index + 1]?.[at];
    return value == null ? [] : [small ? measure(value) : `${series.label}: ${measure(value)}`];
  });
  if (!small) values.unshift(`${count(plot.data[0][at] ?? 0)} env steps`);
  box.textContent = values.join("\n");
  const left = plot.cursor.left ?? 0;
  box.style.left = `${left}px`;
  box.classList.toggle("left", left > plot.over.clientWidth / 2);
}
