/** The metrics of a training over its env steps, in columns of equal length: what a chart draws. */
import type { RunEvent } from "../events";

type Value = number | null;

export class Series {
  readonly iteration: number[] = [];
  readonly envSteps: number[] = [];
  readonly columns = new Map<string, Value[]>();
  /** Evaluations of the deterministic policy: env steps and mean return. */
  readonly evaluated: { iteration: number; envSteps: number; mean: number }[] = [];

  get length(): number {
    return this.iteration.length;
  }

  /** Take up what `event` says of metrics; whether it said something. */
  add(event: RunEvent): boolean {
    switch (event.type) {
      case "training.iteration_completed":
        this.append(event.iteration, event.env_steps, event.metrics);
        return true;
      case "training.evaluated":
        this.evaluated.push({
          iteration: event.iteration,
          envSteps: event.env_steps,
          mean: event.report.episode_return_mean,
        });
        return true;
      case "training.recovered":
        this.forgetAfter(event.iteration);
        return true;
      default:
        return false;
    }
  }

  private append(iteration: number, envSteps: number, metrics: Record<string, number>): void {
    const row = this.length;
    this.iteration.push(iteration);
    this.envSteps.push(envSteps);
    for (const name of Object.keys(metrics)) {
      if (!this.columns.has(name)) this.columns.set(name, new Array<Value>(row).fill(null));
    }
    for (const [name, column] of this.columns) column.push(metrics[name] ?? null);
  }

  /** Drop the rows that a recovery does again. */
  private forgetAfter(iteration: number): void {
    let kept = this.length;
    while (kept > 0 && (this.iteration[kept - 1] ?? 0) > iteration) kept -= 1;
    this.iteration.length = this.envSteps.length = kept;
    for (const column of this.columns.values()) column.length = kept;
    const last = this.evaluated.findLastIndex((point) => point.iteration <= iteration);
    this.evaluated.length = last + 1;
  }
}
