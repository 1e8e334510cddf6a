/** Rewards and actions of an episode, step by step, with a mark at the present step. The slider below says it in words. */
import { useEffect, useRef } from "preact/hooks";
import { count, measure } from "../format";
import { actionRows, discrete, extent, finite } from "../runs/episodes";
import { scheme } from "../theme";
import type { Episode } from "../types";

const REWARD_PX = 46;
const ACTION_PX = 34;
const GAP_PX = 8;
const MAX_ROWS = 8;

interface Props {
  episode: Episode;
  step: number;
  onStep: (step: number) => void;
}

export function Strip({ episode, step, onStep }: Props) {
  const box = useRef<HTMLCanvasElement>(null);
  const dark = scheme.value === "dark";
  useEffect(() => {
    const canvas = box.current;
    if (!canvas) return;
    const paint = () => draw(canvas, episode, step);
    const observer = new ResizeObserver(paint);
    observer.observe(canvas);
    return () => observer.disconnect();
  }, [episode, step, dark]);
  return (
    <canvas
      ref={box}
      class="strip"
      role="img"
      aria-label={describe(episode)}
      onPointerDown={(event) => {
        const { left, width } = event.currentTarget.getBoundingClientRect();
        onStep(
          Math.min(episode.rewards.length - 1, Math.floor(((event.clientX - left) / width) * episode.rewards.length)),
        );
      }}
    />
  );
}

function draw(canvas: HTMLCanvasElement, episode: Episode, step: number): void {
  const width = canvas.clientWidth || 300;
  const height = REWARD_PX + GAP_PX + ACTION_PX;
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  const context = canvas.getContext("2d");
  if (!context) return;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  context.scale(devicePixelRatio, devicePixelRatio);
  const steps = Math.max(1, episode.rewards.length);
  bars(context, episode.rewards, width, colour("line-1"), colour("chart-target"));
  const rows = actionRows(episode).slice(0, MAX_ROWS);
  context.save();
  context.translate(0, REWARD_PX + GAP_PX);
  if (rows.length === 1 && discrete(rows)) cells(context, rows[0] ?? [], width, colour("line-2"), colour("chart-grid"));
  else curves(context, rows, width, colour("line-2"), colour("chart-grid"));
  context.restore();
  context.fillStyle = colour("chart-text");
  context.fillRect(((step + 0.5) / steps) * width - 1, 0, 2, height);
}

/** Rewards, up and down from zero. Where several share a pixel, the one furthest from zero is seen. */
function bars(context: CanvasRenderingContext2D, rewards: number[], width: number, fill: string, axis: string): void {
  const [low, high] = extent(rewards, 0);
  const scale = REWARD_PX / (high - low || 1);
  const zero = high * scale;
  const each = width / Math.max(1, rewards.length);
  context.fillStyle = fill;
  for (const [at, reward] of rewards.entries()) {
    const y = zero - finite(reward) * scale;
    context.fillRect(
      at * each,
      Math.min(y, zero),
      Math.max(0.75, each - (each > 4 ? 1 : 0)),
      Math.max(0.75, Math.abs(y - zero)),
    );
  }
  context.fillStyle = axis;
  context.fillRect(0, Math.min(REWARD_PX - 1, zero), width, 1);
}

/** One of a few actions at each step: a row for each. */
function cells(context: CanvasRenderingContext2D, row: number[], width: number, fill: string, ground: string): void {
  const kinds = extent(row, 1)[1] + 1;
  const height = ACTION_PX / kinds;
  const each = width / Math.max(1, row.length);
  context.fillStyle = ground;
  context.fillRect(0, 0, width, ACTION_PX);
  context.fillStyle = fill;
  for (const [at, value] of row.entries()) {
    context.fillRect(at * each, (kinds - 1 - value) * height, Math.max(0.75, each), Math.max(1, height - 1));
  }
}

/** A line for each component of an action, all on one scale. */
function curves(
  context: CanvasRenderingContext2D,
  rows: number[][],
  width: number,
  stroke: string,
  ground: string,
): void {
  context.fillStyle = ground;
  context.fillRect(0, 0, width, ACTION_PX);
  const [low, high] = extent(rows.flat());
  context.strokeStyle = stroke;
  context.lineWidth = 1.25;
  for (const [place, row] of rows.entries()) {
    context.globalAlpha = 1 - (0.6 * place) / rows.length;
    context.beginPath();
    for (const [at, value] of row.entries()) {
      const x = ((at + 0.5) / row.length) * width;
      const y = 2 + ((high - finite(value)) / (high - low || 1)) * (ACTION_PX - 4);
      if (at === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
    context.stroke();
  }
  context.globalAlpha = 1;
}

function describe({ rewards }: Episode): string {
  const [low, high] = extent(rewards);
  return `Rewards and actions of ${count(rewards.length)} steps: rewards from ${measure(low)} to ${measure(high)}. The slider says each step.`;
}
