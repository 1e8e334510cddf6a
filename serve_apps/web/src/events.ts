/** Events as they come over a stream: one envelope, told apart by `type`. Types that are not listed are let through. */
import type { Event, StreamGap } from "./types";

export type EvaluationEvent = Extract<Event, { type: `evaluation.${string}` }>;
export type TrainingEvent = Extract<Event, { type: `training.${string}` }>;

/** An event of a run, which is what the page follows. */
export type RunEvent = EvaluationEvent | TrainingEvent | StreamGap;

export const isEvaluation = (event: RunEvent): event is EvaluationEvent => event.type.startsWith("evaluation.");
export const isTraining = (event: RunEvent): event is TrainingEvent => event.type.startsWith("training.");
