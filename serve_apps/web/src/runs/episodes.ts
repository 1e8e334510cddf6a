/** Recorded episodes of a training: by the moment of their evaluation, and what a step of one was. */
import type { Episode, EpisodeInfo } from "../types";

/** The episodes that were recorded at one iteration. */
export interface Moment {
  iteration: number;
  envSteps: number;
  episodes: EpisodeInfo[];
}

export function moments(items: readonly EpisodeInfo[]): Moment[] {
  const found = new Map<number, Moment>();
  for (const item of items) {
    const iteration = item.iteration ?? 0;
    const moment = found.get(iteration) ?? { iteration, envSteps: item.env_steps ?? 0, episodes: [] };
    moment.episodes.push(item);
    found.set(iteration, moment);
  }
  return [...found.values()].sort((a, b) => a.iteration - b.iteration);
}

/** The place of the moment nearest to `envSteps`; -1 where there is none. */
export function nearest(found: readonly Moment[], envSteps: number): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (const [place, moment] of found.entries()) {
    const distance = Math.abs(moment.envSteps - envSteps);
    if (distance < least) {
      least = distance;
      best = place;
    }
  }
  return best;
}

/** The episode to show first: the best of the newest evaluation of the moment. */
export function favourite(moment: Moment): EpisodeInfo | undefined {
  return moment.episodes.findLast((episode) => episode.roles.includes("best")) ?? moment.episodes.at(-1);
}

/** `first`, `best`; two episodes of one moment may have one role, if it was evaluated twice. */
export const rolesOf = (episode: EpisodeInfo): string => {
  const text = episode.roles.join(", ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};

/** Actions as rows of numbers: one row for each component. */
export function actionRows(episode: Episode): number[][] {
  const first = flat(episode.actions[0]);
  return first.map((_, component) => episode.actions.map((action) => flat(action)[component] ?? 0));
}

/** True if every action is one of a few whole numbers. */
export const discrete = (rows: readonly number[][]): boolean =>
  rows.every((row) => row.every((value) => Number.isInteger(value) && value >= 0 && value < 64));

/** The least and the greatest of `values` and `others`, of any number of them; what is not finite counts as zero. */
export function extent(values: readonly number[], ...others: number[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const given of [...others, ...values]) {
    const value = finite(given);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

export const finite = (value: number): number => (Number.isFinite(value) ? value : 0);

export function flat(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(flat);
  return [Number(value)];
}

/** The return up to and including each step. */
export function returns(rewards: readonly number[]): number[] {
  let sum = 0;
  return rewards.map((reward) => {
    sum += reward;
    return sum;
  });
}
