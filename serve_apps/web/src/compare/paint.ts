/** Paints the curves of a comparison on a canvas. Saved pictures have the same curves as paths. */
import { inks, styleOf } from "./colours";
import { type Drawn, EDGE, HEIGHT, OPACITY, type Scales } from "./drawn";
import { type Colour, colourOf, Pixels } from "./pixels";
import {
  bandColumns,
  bandPath,
  type Columns,
  type Curve,
  isDense,
  lineColumns,
  linePath,
  pixels,
  place,
  type Scale,
} from "./plot";

/** Pixels a point from which on bands and single runs are paths, whose slopes are smoother. Groups' lines are few: they are
 * paths until they have more points than pixels. */
const SPARSE = 4;
const [THIN, THICK] = [1, 2];

export interface Painting {
  groups: readonly Drawn[];
  scales: Scales;
  width: number;
  dark: boolean;
  /** Places of the grid's lines. */
  grid: { x: readonly number[]; y: readonly number[] };
}

/** `ratio`: pixels of the canvas for one of the page. */
export function paint(canvas: HTMLCanvasElement, painting: Painting, ratio: number): void {
  const [width, height] = [Math.round(painting.width * ratio), Math.round(HEIGHT * ratio)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) return;
  const [sparse, dense] = split(painting.groups, painting.width, painting.scales.x);
  const drawn = new Pixels(width, height, colourOf(inks(painting.dark).page));
  drawGrid(drawn, painting, ratio);
  drawDense(drawn, dense, painting, ratio);
  context.putImageData(new ImageData(drawn.data, width, height), 0, 0);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  drawSparse(context, sparse, painting);
  drawEvaluations(context, painting);
}

/** What is drawn of a group in one of two ways. */
type Part = Pick<Drawn, "index" | "runs"> & { band: Curve | null; line: Curve | null };

/** The curves of few points, and those of many. */
function split(groups: readonly Drawn[], width: number, x: Scale): [Part[], Part[]] {
  const isSparse = (curve: Curve) => curve.x.length * SPARSE < width;
  const some = (sparse: boolean) =>
    groups.map(({ index, band, runs }) => ({
      index,
      band: isSparse(band) === sparse ? band : null,
      line: isDense(band, x) === sparse ? null : band,
      runs: runs.filter((run) => isSparse(run) === sparse),
    }));
  return [some(true), some(false)];
}

function drawGrid(drawn: Pixels, { grid, scales, dark }: Painting, ratio: number): void {
  const { x, y } = inCanvas(scales, ratio);
  const colour = colourOf(inks(dark).grid);
  for (const at of grid.y) drawn.row(Math.min(drawn.height - 1, Math.floor(at * ratio)), x.from, x.to, colour);
  for (const at of grid.x) drawn.blend(Math.floor(at * ratio), y.to, y.from, colour, 1);
}

function drawDense(drawn: Pixels, parts: readonly Part[], { scales, dark }: Painting, ratio: number): void {
  const { x, y } = inCanvas(scales, ratio);
  const styles = parts.map(({ index }) => styleOf(index, dark));
  const colours = styles.map(({ colour }) => colourOf(colour));
  parts.forEach(({ band }, at) => {
    if (!band) return;
    const { top, bottom } = edges(bandColumns(x, y, band), y);
    for (let column = 0; column < top.length; column += 1) {
      drawn.blend(
        x.from + column,
        top[column] as number,
        bottom[column] as number,
        colours[at] as Colour,
        OPACITY.band,
      );
    }
  });
  const line = (curve: Curve, colour: Colour, opacity: number, width: number, dashes: string) =>
    drawLine(
      drawn,
      x.from,
      edges(lineColumns(x, y, curve), y),
      { colour, opacity, width: width * ratio },
      dashed(dashes, ratio),
    );
  parts.forEach(({ runs }, at) => {
    for (const run of runs) line(run, colours[at] as Colour, OPACITY.run, THIN, "");
  });
  parts.forEach(({ line: curve }, at) => {
    if (curve) line(curve, colours[at] as Colour, 1, THICK, styles[at]?.dashes ?? "");
  });
}

interface Edges {
  top: Float64Array;
  bottom: Float64Array;
}

/** Pixels of the values of columns. Between its points a curve is straight; NaN: it is interrupted, or not there. */
function edges({ least, greatest }: Columns, y: Scale): Edges {
  const up = pixels(y);
  const [top, bottom] = [greatest.map(up), least.map(up)];
  let last = -1;
  for (let column = 0; column < least.length; column += 1) {
    const value = least[column] as number;
    if (value === Number.POSITIVE_INFINITY) {
      top[column] = bottom[column] = Number.NaN;
      continue;
    }
    if (last >= 0 && column - last > 1 && !Number.isNaN(value)) {
      straighten(top, last, column);
      straighten(bottom, last, column);
    }
    last = Number.isNaN(value) ? -1 : column;
  }
  return { top, bottom };
}

function straighten(values: Float64Array, from: number, to: number): void {
  const [first, last] = [values[from] as number, values[to] as number];
  for (let at = from + 1; at < to; at += 1) values[at] = first + ((last - first) * (at - from)) / (to - from);
}

interface Stroke {
  colour: Colour;
  opacity: number;
  width: number;
}

function drawLine(
  drawn: Pixels,
  left: number,
  { top, bottom }: Edges,
  { colour, opacity, width }: Stroke,
  isDrawn: (column: number) => boolean,
): void {
  const half = width / 2;
  for (let column = 0; column < top.length; column += 1) {
    let above = top[column] as number;
    let below = bottom[column] as number;
    if (Number.isNaN(above) || !isDrawn(column)) continue;
    if (column > 0 && above > (bottom[column - 1] as number)) above = bottom[column - 1] as number;
    else if (column > 0 && below < (top[column - 1] as number)) below = top[column - 1] as number;
    drawn.blend(left + column, above - half, below + half, colour, opacity);
  }
}

/** Which columns a dashed line is drawn in: `dashes` are lengths that are drawn and left out in turn. */
function dashed(dashes: string, ratio: number): (column: number) => boolean {
  if (!dashes) return () => true;
  const lengths = dashes.split(" ").map((length) => Number(length) * ratio);
  const whole = lengths.reduce((sum, length) => sum + length, 0);
  return (column) => {
    let rest = column % whole;
    const at = lengths.findIndex((length) => {
      rest -= length;
      return rest < 0;
    });
    return at % 2 === 0;
  };
}

function drawSparse(
  context: CanvasRenderingContext2D,
  parts: readonly Part[],
  { scales: { x, y }, dark }: Painting,
): void {
  const stroke = (curve: Curve, index: number, opacity: number, width: number, dashes: string) => {
    context.globalAlpha = opacity;
    context.strokeStyle = styleOf(index, dark).colour;
    context.lineWidth = width;
    context.setLineDash(dashes ? dashes.split(" ").map(Number) : []);
    context.stroke(new Path2D(linePath(x, y, curve)));
  };
  for (const { index, band } of parts) {
    if (!band) continue;
    context.globalAlpha = OPACITY.band;
    context.fillStyle = styleOf(index, dark).colour;
    context.fill(new Path2D(bandPath(x, y, band)));
  }
  for (const { index, runs } of parts) for (const run of runs) stroke(run, index, OPACITY.run, THIN, "");
  for (const { index, line } of parts) if (line) stroke(line, index, 1, THICK, styleOf(index, dark).dashes);
}

function drawEvaluations(context: CanvasRenderingContext2D, { groups, scales: { x, y }, dark }: Painting): void {
  context.setLineDash([]);
  context.lineWidth = THIN;
  for (const { index, evaluations } of groups) {
    context.strokeStyle = context.fillStyle = styleOf(index, dark).colour;
    for (const { x: across, mean, std } of evaluations) {
      const [left, middle] = [place(x, across), place(y, mean)];
      if (left === null || middle === null) continue;
      context.globalAlpha = OPACITY.evaluation;
      context.beginPath();
      context.moveTo(left, place(y, mean - std) ?? HEIGHT - EDGE.bottom);
      context.lineTo(left, place(y, mean + std) ?? middle);
      context.stroke();
      context.globalAlpha = 1;
      context.beginPath();
      context.arc(left, middle, 3, 0, 2 * Math.PI);
      context.fill();
    }
  }
}

/** The scales in whole pixels of the canvas. */
function inCanvas({ x, y }: Scales, ratio: number): Scales {
  const whole = (scale: Scale) => ({
    ...scale,
    from: Math.round(scale.from * ratio),
    to: Math.round(scale.to * ratio),
  });
  return { x: whole(x), y: whole(y) };
}
