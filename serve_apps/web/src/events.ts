/** Events of a stream, distinguished by `type`. Events of other types pass through unchanged. */
import type { Event, StreamGap } from "./types";

export type EvaluationEvent = Extract<Event, { type: `evaluation.${string}` }>;
export type TrainingEvent = Extract<Event, { type: `training.${string}` }>;
export type StudyEvent = Extract<Event, { type: `study.${string}` }>;

/** An event of a run; the page follows no other streams. */
export type RunEvent = EvaluationEvent | TrainingEvent | StudyEvent | StreamGap;

export const isEvaluation = (event: RunEvent): event is EvaluationEvent => event.type.startsWith("evaluation.");
export const isTraining = (event: RunEvent): event is TrainingEvent => event.type.startsWith("training.");
export const isStudy = (event: RunEvent): event is StudyEvent => event.type.startsWith("study.");
