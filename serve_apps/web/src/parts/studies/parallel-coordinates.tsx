/** Trials as lines through an axis for each searched hyperparameter and one for the return. */
import type { Signal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { measure } from "../../format";
import {
  type Axis,
  axesOf,
  type Brushes,
  HEIGHTS,
  isBrushed,
  lineOf,
  RETURN,
  resultOf,
  shade,
} from "../../studies/parallel";
import { plain } from "../../studies/trials";
import { scheme } from "../../theme";
import type { Study, Trial } from "../../types";

interface Props {
  study: Study;
  marked: Signal<number | null>;
  /** What is chosen on the axes: other trials are drawn pale and left out of the table. */
  brushes: Signal<Brushes>;
}

const HEIGHT = HEIGHTS.bottom + 8;
const LEAST_GAP = 96;
const BRUSH = 28;
const LEAST_BRUSH = 4;

export function ParallelCoordinates({ study, marked, brushes }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(900);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => setRoom(entry?.contentRect.width ?? 0));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const dark = scheme.value === "dark";
  const names = Object.keys(study.request.space).length;
  const width = Math.max(room, 130 + LEAST_GAP * names);
  const axes = useMemo(() => axesOf(study, { ...HEIGHTS, left: 60, right: width - 60 }), [study, width]);
  const lines = useMemo(() => shaded(study.trials, axes, dark), [study, axes, dark]);
  const brushed = Object.keys(brushes.value).length > 0;
  const shown = lines.filter(({ trial }) => isBrushed(trial, axes, brushes.value));
  const under = lines.find(({ trial }) => trial.number === marked.value);
  if (names === 0) return null;
  return (
    <section class="card" aria-labelledby="parallel">
      <header class="card-head">
        <h2 id="parallel">Parallel coordinates</h2>
        <span class="hint">Drag along an axis to choose trials. Dashed: not completed.</span>
        {brushed && (
          <button
            type="button"
            class="secondary push"
            onClick={() => {
              brushes.value = {};
            }}
          >
            Show all {lines.length} trials
          </button>
        )}
      </header>
      {/* biome-ignore lint/a11y: what scrolls must be reachable by keyboard, and is no landmark */}
      <div class="pad scroll" ref={box} role="group" tabIndex={0} aria-label="Parallel coordinates, scrollable">
        <svg
          class="parallel"
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={`${lines.length} trials over ${axes.map(({ name }) => name).join(", ")}. The table below says the same in numbers.`}
        >
          <g>
            {lines.map(({ trial, path, colour }) => (
              <path
                key={trial.number}
                d={path}
                stroke={colour}
                class={isBrushed(trial, axes, brushes.value) ? "" : "left-out"}
                stroke-dasharray={trial.state === "completed" ? undefined : "4 4"}
              />
            ))}
          </g>
          {axes.map((axis, index) => (
            <AxisLines key={axis.name} axis={axis} index={index} />
          ))}
          {under && <path class="marked" d={under.path} stroke={under.colour} />}
          {shown.map(({ trial, path }) => (
            <path
              key={trial.number}
              class="target"
              d={path}
              onPointerEnter={() => {
                marked.value = trial.number;
              }}
              onPointerLeave={() => {
                marked.value = null;
              }}
            />
          ))}
          {axes.map((axis) => (
            <Brush key={axis.name} axis={axis} brushes={brushes} />
          ))}
        </svg>
      </div>
      <p class="pad hint under-pointer">
        {under ? described(under.trial) : `${shown.length} of ${lines.length} trials.`}
      </p>
    </section>
  );
}

function AxisLines({ axis: { name, x, ticks }, index }: { axis: Axis; index: number }) {
  const anchor = index === 0 ? "start" : name === RETURN ? "end" : "middle";
  const from = index === 0 ? x - 56 : name === RETURN ? x + 56 : x;
  return (
    <g>
      <text class="axis-name" x={from} y="20" text-anchor={anchor}>
        {name.length > 18 ? `${name.slice(0, 17)}…` : name}
        <title>{name}</title>
      </text>
      <line class="axis" x1={x} x2={x} y1={HEIGHTS.top} y2={HEIGHTS.bottom} />
      {ticks.map(({ at, label }) => (
        <g key={at}>
          <line class="axis" x1={x - 4} x2={x + 4} y1={at} y2={at} />
          <text x={x + 8} y={at + 4}>
            {label.length > 12 ? `${label.slice(0, 11)}…` : label}
          </text>
        </g>
      ))}
    </g>
  );
}

/** Choosing part of an axis by dragging; a click without a drag chooses all of it again. */
function Brush({ axis: { name, x }, brushes }: { axis: Axis; brushes: Signal<Brushes> }) {
  const from = useRef<number | null>(null);
  const chosen = brushes.value[name];
  const at = (event: PointerEvent & { currentTarget: SVGElement }) => {
    const top = event.currentTarget.ownerSVGElement?.getBoundingClientRect().top ?? 0;
    return Math.min(HEIGHTS.bottom, Math.max(HEIGHTS.top, event.clientY - top));
  };
  const choose = (one: number, other: number) => {
    const { [name]: _, ...others } = brushes.value;
    const bounds: [number, number] = [Math.min(one, other), Math.max(one, other)];
    brushes.value = bounds[1] - bounds[0] < LEAST_BRUSH ? others : { ...others, [name]: bounds };
  };
  return (
    <g class="brush">
      {chosen && <rect class="chosen" x={x - 7} width="14" y={chosen[0]} height={chosen[1] - chosen[0]} rx="3" />}
      <rect
        class="grip"
        x={x - BRUSH / 2}
        width={BRUSH}
        y={HEIGHTS.top}
        height={HEIGHTS.bottom - HEIGHTS.top}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          from.current = at(event);
        }}
        onPointerMove={(event) => {
          if (from.current !== null) choose(from.current, at(event));
        }}
        onPointerUp={(event) => {
          if (from.current !== null) choose(from.current, at(event));
          from.current = null;
        }}
      />
    </g>
  );
}

interface Line {
  trial: Trial;
  path: string;
  colour: string;
}

/** The lines of `trials`, the best drawn last; colours go by the result among all. */
function shaded(trials: readonly Trial[], axes: readonly Axis[], dark: boolean): Line[] {
  const results = trials.map(resultOf).filter((value): value is number => value !== null);
  const low = results.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = results.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const part = (trial: Trial) => (high > low ? ((resultOf(trial) ?? low) - low) / (high - low) : 0.5);
  return [...trials]
    .sort((a, b) => (resultOf(a) ?? Number.NEGATIVE_INFINITY) - (resultOf(b) ?? Number.NEGATIVE_INFINITY) || 0)
    .map((trial) => ({ trial, path: lineOf(trial, axes), colour: shade(results.length > 0 ? part(trial) : 0, dark) }));
}

function described(trial: Trial): string {
  const result = resultOf(trial);
  const settings = Object.entries(trial.hyperparameters).map(([name, value]) => `${name} ${plain(value)}`);
  return [`Trial ${trial.number}`, ...settings, result === null ? "no return yet" : `return ${measure(result)}`].join(
    " · ",
  );
}
