/** The curves of a comparison: painted on a canvas, below axes and legend. Saved, they are one picture. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { drawn, scalesOf } from "../../compare/drawn";
import { paint } from "../../compare/paint";
import type { View } from "../../compare/query";
import { scheme } from "../../theme";
import type { Comparison } from "../../types";
import { Picture, standalone, ticksOf } from "./picture";
import { Pointer } from "./pointer";

interface Props {
  comparison: Comparison;
  view: View;
  /** Keys of groups that are not drawn. */
  hidden: ReadonlySet<string>;
  /** Set to what draws the picture as one SVG. */
  picture: preact.RefObject<(() => SVGSVGElement) | null>;
}

export function ComparedChart({ comparison, view, hidden, picture }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
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
  useLayoutEffect(() => {
    const at = ticksOf(scales, width);
    const grid = { x: at.x.map(({ at }) => at), y: at.y.map(({ at }) => at) };
    if (canvas.current) paint(canvas.current, { groups, scales, width, dark, grid }, devicePixelRatio);
  }, [groups, scales, width, dark]);
  const shown = { groups, scales, comparison, width, dark };
  picture.current = () => standalone(shown);
  return (
    <div ref={box} class="compared-chart">
      <canvas ref={canvas} />
      <Picture {...shown} />
      <Pointer groups={groups} scales={scales} axis={comparison.x} dark={dark} />
    </div>
  );
}
