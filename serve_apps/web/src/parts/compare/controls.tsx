/** How a comparison is drawn: metric, axis, smoothing, scales. */

import { isReturn } from "../../compare/drawn";
import type { View } from "../../compare/query";
import type { Comparison } from "../../types";

interface Props {
  comparison: Comparison;
  view: View;
  change: (changes: Partial<View>) => void;
}

export function Controls({ comparison, view, change }: Props) {
  const check = (label: string, name: "logX" | "logY" | "runs" | "evaluations") => (
    <label class="check small">
      <input
        type="checkbox"
        checked={view[name]}
        onChange={(event) => change({ [name]: event.currentTarget.checked })}
      />
      {label}
    </label>
  );
  return (
    <div class="compare-controls">
      <label>
        Metric
        <select value={comparison.metric} onChange={(event) => change({ metric: event.currentTarget.value })}>
          {[...new Set([comparison.metric, ...comparison.metrics])].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Axis
        <select value={view.x} onChange={(event) => change({ x: event.currentTarget.value as View["x"] })}>
          <option value="env_steps">Env steps</option>
          <option value="train_wall_s">Wall time</option>
        </select>
      </label>
      <label>
        Smoothing {view.smoothing}
        <input
          type="range"
          min="0"
          max="0.99"
          step="0.01"
          value={view.smoothing}
          onInput={(event) => change({ smoothing: Number(event.currentTarget.value) })}
        />
      </label>
      <div class="checks">
        {check("Logarithmic x", "logX")}
        {check("Logarithmic y", "logY")}
        {check("Single runs", "runs")}
        {isReturn(comparison.metric) && check("Policy evaluations ± 1 SD", "evaluations")}
      </div>
    </div>
  );
}
