import { describe, expect, it } from "vitest";
import type { RunEvent } from "../src/events";
import { foldEvaluation, foldTraining, foldWish, newborn, type Wish } from "../src/runs/fold";
import { Series } from "../src/runs/series";
import { foldStudy, foldStudyWish, newbornStudy, type StudyWish } from "../src/studies/fold";
import type { Evaluation, Study, Training } from "../src/types";
import streams from "./fixtures/streams.json";

interface Recording<T> {
  /** What the platform's own fold makes of the events, after each of them. */
  documents: T[];
  events: RunEvent[];
}

const recorded = streams as unknown as {
  evaluations: Record<string, Recording<Evaluation>>;
  trainings: Record<string, Recording<Training>>;
  studies: Record<string, Recording<Study>>;
};

function check<T>(
  { documents, events }: Recording<T>,
  fold: (document: T, event: RunEvent) => T,
  born: (document: T) => T,
): void {
  expect(events.length).toBe(documents.length);
  let folded = born(documents.at(-1) as T);
  for (const [index, event] of events.entries()) {
    folded = fold(folded, event);
    expect(folded, `after ${event.type}`).toEqual(documents[index]);
  }
}

describe("the fold of a run's events", () => {
  for (const [name, recording] of Object.entries(recorded.evaluations)) {
    it(`is the platform's document: evaluation, ${name}`, () => check(recording, foldEvaluation, newborn));
  }
  for (const [name, recording] of Object.entries(recorded.trainings)) {
    it(`is the platform's document: training, ${name}`, () => check(recording, foldTraining, newborn));
  }
  for (const [name, recording] of Object.entries(recorded.studies)) {
    it(`is the platform's document: study, ${name}`, () => check(recording, foldStudy, newbornStudy));
  }

  it("lets pass what it does not know", () => {
    const before = recorded.trainings.recovered?.documents.at(-1) as Training;
    const event = { type: "training.painted", stream: "", seq: 99, time: "" } as unknown as RunEvent;
    expect(foldTraining(before, event)).toEqual({ ...before, seq: 99 });
  });

  it("fills in the fields that an event of an earlier version lacks", () => {
    const evaluation = newborn({ id: "eval_1" } as Evaluation);
    const result = { id: "t1", verdict: "accepted", points: 1 } as const;
    const envelope = { id: "evt_1", stream: "", seq: 1, time: "" };
    const judged = foldEvaluation(evaluation, { ...envelope, type: "evaluation.test_finished", attempt: 1, result });
    expect(judged.tests[0]).toMatchObject({ ...result, hidden: false, cpu_time_s: null, stdout: null, message: null });
    const ended = { ...envelope, type: "evaluation.finished", verdict: "accepted", score: 1, max_score: 1 } as const;
    expect(foldEvaluation(evaluation, { ...ended, tests: [result] })).toMatchObject({
      sandbox: null,
      message: null,
      tests: judged.tests,
    });

    const training = newborn({ id: "train_1", request: {} } as Training);
    const paused = foldTraining(training, { ...envelope, type: "training.paused", progress: { env_steps: 7 } });
    expect(paused.progress).toEqual({ iteration: 0, env_steps: 7, episodes: 0, train_wall_s: 0 });
  });

  it("knows what is asked for and has not happened yet", () => {
    const types = ["pause_requested", "paused", "resume_requested", "resumed", "stop_requested", "stopped"];
    let wish: Wish = null;
    const wishes = types.map((type) => {
      wish = foldWish(wish, { type: `training.${type}` } as RunEvent);
      return wish;
    });
    expect(wishes).toEqual(["pause", null, "resume", null, "stop", null]);
    let ofStudy: StudyWish = null;
    const ofStudies = types.map((type) => {
      ofStudy = foldStudyWish(ofStudy, { type: `study.${type}` } as RunEvent);
      return ofStudy;
    });
    expect(ofStudies).toEqual(wishes);
  });
});

describe("Series", () => {
  const iteration = (number: number, metrics: Record<string, number>) =>
    ({ type: "training.iteration_completed", iteration: number, env_steps: 100 * number, metrics }) as RunEvent;

  it("has columns of equal length, null where an iteration had no such metric", () => {
    const series = new Series();
    series.add(iteration(1, { a: 1 }));
    series.add(iteration(2, { a: 2, b: 20 }));
    series.add(iteration(3, { b: 30 }));
    expect(series.envSteps).toEqual([100, 200, 300]);
    expect(Object.fromEntries(series.columns)).toEqual({ a: [1, 2, null], b: [null, 20, 30] });
  });

  it("has iterations done again after a recovery once", () => {
    const series = new Series();
    for (const event of recorded.trainings.recovered?.events ?? []) series.add(event);
    expect(series.iteration).toEqual([1, 2, 3, 4]);
    expect(new Set(series.envSteps).size).toBe(4);
    expect(series.evaluated.map((point) => point.iteration)).toEqual([2, 4]);
    for (const column of series.columns.values()) expect(column).toHaveLength(4);
  });
});
