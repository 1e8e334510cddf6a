/** Values under the pointer over a comparison's curves. */
import { useState } from "preact/hooks";
import { styleOf } from "../../compare/colours";
import { type Drawn, EDGE, HEIGHT, titleOf } from "../../compare/drawn";
import { nearestIndex, place, type Scale, valueAt } from "../../compare/plot";
import { count, duration, measure } from "../../format";
import type { Comparison } from "../../types";

interface Props {
  groups: Drawn[];
  scales: { x: Scale; y: Scale };
  axis: Comparison["x"];
  dark: boolean;
}

/** What is under the pointer. It draws over the picture, so that no curve is drawn again as the pointer moves. */
export function Pointer({ groups, scales, axis, dark }: Props) {
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
