import { describe, expect, it } from "vitest";
import {
  copyOfStudy,
  newSearched,
  newStudy,
  plannedTrials,
  type StudyDraft,
  seedsOf,
  toStudyRequest,
} from "../src/drafts/study";
import type { Problem } from "../src/problem";
import { axesOf, HEIGHTS, isBrushed, lineOf, RETURN } from "../src/studies/parallel";
import { command, configuration, inOrder } from "../src/studies/trials";
import type { Study, Trial } from "../src/types";
import streams from "./fixtures/streams.json";

const study = streams.studies.ranked.documents.at(-1) as unknown as Study;
const draft = (changes: Partial<StudyDraft>): StudyDraft => ({ ...newStudy(), ...changes });
const refused = (changes: Partial<StudyDraft>): string[] => {
  try {
    toStudyRequest(draft(changes));
    return [];
  } catch (error) {
    return (error as Problem).errors.map(({ field }) => field);
  }
};

describe("a study being set up", () => {
  it("becomes a request", () => {
    const space = [
      newSearched(1, { name: "learning_rate", low: "0.0001", high: "0.01", log: true }),
      newSearched(2, { name: "n_epochs", kind: "int", low: "1", high: "20", step: "2" }),
      newSearched(3, { name: "policy_kwargs.net_arch", kind: "categorical", choices: "[64, 64], [256]" }),
    ];
    expect(toStudyRequest(draft({ space, pruner: "median", seeds: "0..2", target: "475" }))).toMatchObject({
      space: {
        learning_rate: { kind: "float", low: 0.0001, high: 0.01, log: true },
        n_epochs: { kind: "int", low: 1, high: 20, log: false, step: 2 },
        "policy_kwargs.net_arch": { kind: "categorical", choices: [[64, 64], [256]] },
      },
      sampler: { kind: "tpe", startup_trials: 10 },
      pruner: { kind: "median", reports: 10 },
      seeds: [0, 1, 2],
      trials: 20,
      budget_env_steps: null,
      target_return: 475,
    });
  });

  it("sends no pruner and no trials with population-based training, which has its own of both", () => {
    const request = toStudyRequest(draft({ sampler: "population", pruner: "median", trials: "20" }));
    expect(request).toMatchObject({ sampler: { kind: "population", members: 8 }, pruner: null, trials: null });
  });

  it.each<[string, Partial<StudyDraft>, string[]]>([
    ["a search without an end", { trials: "" }, ["trials"]],
    ["seeds that are none", { seeds: "0, one" }, ["seeds"]],
    ["a bound that is no number", { space: [newSearched(1, { name: "gamma", low: "0.9" })] }, ["space.gamma.high"]],
    ["a row without a name", { space: [newSearched(1, { low: "1", high: "2" })] }, ["space."]],
    [
      "a name twice",
      { space: [1, 2].map((key) => newSearched(key, { name: "gamma", low: "0", high: "1" })) },
      ["space.gamma"],
    ],
    [
      "a list without choices",
      { space: [newSearched(1, { name: "gamma", kind: "categorical" })] },
      ["space.gamma.choices"],
    ],
  ])("refuses %s at its field", (_, changes, fields) => {
    expect(refused(changes)).toEqual(fields);
  });

  it("reads seeds as lists and ranges", () => {
    expect(seedsOf("3, 0..2")).toEqual([3, 0, 1, 2]);
    expect([seedsOf(""), seedsOf("2..1"), seedsOf("-1"), seedsOf("0..9999999")]).toEqual([null, null, null, null]);
  });

  it("counts the trials of a grid", () => {
    const space = [
      newSearched(1, { name: "gamma", kind: "categorical", choices: "0.9, 0.99" }),
      newSearched(2, { name: "n_steps", kind: "categorical", choices: "128, 256, 512" }),
    ];
    expect(plannedTrials(draft({ sampler: "grid", space, trials: "" }))).toBe(6);
    expect(plannedTrials(draft({ sampler: "grid", space, trials: "4", draws: "2" }))).toBe(4);
    expect(plannedTrials(draft({ trials: "" }))).toBeNull();
  });

  it("copies a study: the copy asks for the same", () => {
    const { training, name: _, ...rest } = toStudyRequest(copyOfStudy(study)) as Record<string, unknown>;
    const { training: original, name: __, seed: ___, ...others } = study.request;
    expect(rest).toMatchObject({ seeds: others.seeds, trials: others.trials, sampler: others.sampler });
    expect(rest.space).toEqual({ learning_rate: { kind: "float", low: 0.0001, high: 0.1, log: true } });
    expect(training).toMatchObject({ env: original.env, stop: { env_steps: 512 }, engine: "simulated" });
  });
});

describe("the trials of a study", () => {
  it("are ordered by rank, then value; those without a rank come last", () => {
    expect(inOrder(study.trials).map(({ number, rank }) => [number, rank])).toEqual([
      [2, 1],
      [0, 1],
      [3, 3],
      [1, null],
    ]);
  });

  it("give a configuration with the fixed hyperparameters and the searched ones inside", () => {
    const fixed = { gamma: 0.99, policy_kwargs: { activation: "tanh" } };
    const asked = {
      ...study,
      request: { ...study.request, training: { ...study.request.training, hyperparameters: fixed } },
    };
    const trial = { hyperparameters: { "policy_kwargs.net_arch": [64, 64], learning_rate: 0.001 } } as unknown as Trial;
    expect(configuration(asked, trial)).toEqual({
      gamma: 0.99,
      policy_kwargs: { activation: "tanh", net_arch: [64, 64] },
      learning_rate: 0.001,
    });
    expect(fixed.policy_kwargs).toEqual({ activation: "tanh" });
    expect(command(asked, trial)).toBe(
      `rlp train --env CartPole-v1 --engine simulated -H gamma:0.99 -H 'policy_kwargs:{"activation":"tanh","net_arch":[64,64]}' ` +
        "-H learning_rate:0.001 --env-steps 512 --seed 0",
    );
  });
});

describe("parallel coordinates", () => {
  const axes = axesOf(study, { ...HEIGHTS, left: 0, right: 100 });
  const [rate, result] = axes as [(typeof axes)[number], (typeof axes)[number]];

  it("have an axis a hyperparameter and one for the return, best on top", () => {
    expect(axes.map(({ name, x }) => [name, x])).toEqual([
      ["learning_rate", 0],
      [RETURN, 100],
    ]);
    const [worst, best] = [study.trials[3] as Trial, study.trials[2] as Trial];
    expect(result.y(best)).toBeLessThan(result.y(worst) as number);
    expect(rate.y(worst)).toBe(HEIGHTS.top);
  });

  it("end the line of a trial without a result before the last axis", () => {
    const running = { ...(study.trials[0] as Trial), value: null, reports: [] };
    expect(lineOf(running, axes)).toMatch(/^M[\d.,]+$/);
    expect(lineOf(study.trials[0] as Trial, axes)).toMatch(/^M[\d.,]+L100\.0,[\d.]+$/);
  });

  it("choose the trials within a brush", () => {
    const chosen = (low: number, high: number) =>
      study.trials.filter((trial) => isBrushed(trial, axes, { [RETURN]: [low, high] })).map(({ number }) => number);
    expect(chosen(HEIGHTS.top, HEIGHTS.bottom)).toEqual([0, 1, 2, 3]);
    expect(chosen(HEIGHTS.top, HEIGHTS.top + 40)).toEqual([0, 2]);
  });
});
