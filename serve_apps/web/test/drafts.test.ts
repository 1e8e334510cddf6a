import { describe, expect, it } from "vitest";
import { cloneOf, continuation, fresh } from "../src/drafts/earlier";
import { matching } from "../src/drafts/environments";
import {
  copyOf,
  isTouched,
  newSubmission,
  toRunRequest as run,
  toRequest as submission,
  withGrader,
} from "../src/drafts/submission";
import { newTraining, toRequest, withEnvironment, withPreset } from "../src/drafts/training";
import { settings } from "../src/runs/settings";
import type { CheckpointInfo, StopCriteria, Submission, Training } from "../src/types";

function trained(stop: StopCriteria, more: object = {}): Training {
  const request = {
    env: "LunarLander-v3",
    engine: "rllib",
    seed: 3,
    preset: null,
    hyperparameters: { learning_rate: "lin_0.001", gamma: 0.9 },
    stop,
    env_config: {},
    resources: { num_env_runners: 2, num_envs_per_env_runner: null },
    evaluation: { every_iterations: 0, episodes: 10 },
    checkpoint: { every_iterations: 20, keep_last: 3, keep_best: true },
    resume_from: null,
    ...more,
  };
  const progress = { iteration: 49, env_steps: 100_352, episodes: 400, train_wall_s: 41.2 };
  return { request, labels: {}, progress, metrics: { "rollout/episode_return_mean": 120 } } as unknown as Training;
}
const checkpoint = { id: "ckpt_1", iteration: 40, env_steps: 81_920, episode_return_mean: 110 } as CheckpointInfo;
const sent = (draft: ReturnType<typeof continuation>) => toRequest(draft) as { stop: StopCriteria };

describe("a training that continues another", () => {
  it.each<[StopCriteria, StopCriteria]>([
    [{ env_steps: 100_000 }, { more_env_steps: 100_000 }],
    [{ iterations: 50 }, { more_env_steps: 100_000, iterations: 90 }],
    [{ wall_time_s: 40 }, { more_env_steps: 100_000, wall_time_s: 82 }],
    [
      { env_steps: 50_000, episode_return_mean: 200 },
      { more_env_steps: 50_000, episode_return_mean: 200 },
    ],
    [{ env_steps: 50_000, episode_return_mean: 115 }, { more_env_steps: 50_000 }],
  ])("that stopped at %j, stops at %j", (before, after) => {
    const training = trained(before);
    const { stop } = sent(continuation(training, checkpoint));
    expect(stop).toEqual(after);
    expect(stop.iterations ?? Infinity).toBeGreaterThan(checkpoint.iteration);
    expect(stop.wall_time_s ?? Infinity).toBeGreaterThan(training.progress.train_wall_s);
    expect(stop.episode_return_mean ?? Infinity).toBeGreaterThan(120);
  });

  it("is trained as its parent was", () => {
    const training = trained({ env_steps: 100_000 }, { env_config: { is_slippery: false } });
    expect(toRequest(continuation(training, checkpoint))).toMatchObject({
      env: "LunarLander-v3",
      env_config: { is_slippery: false },
      seed: 3,
      hyperparameters: { learning_rate: "lin_0.001", gamma: 0.9 },
      resources: { num_env_runners: 2, num_envs_per_env_runner: null },
      resume_from: "ckpt_1",
    });
  });

  it("keeps what its parent had and the form does not show, for the same environment alone", () => {
    const more = { priority: "low", resources: { num_env_runners: 2, num_learners: 1 }, backend: "gymnasium" };
    const draft = continuation(trained({ env_steps: 100_000 }, more as never), checkpoint);
    expect(toRequest({ ...draft, envRunners: "3" })).toMatchObject({
      priority: "low",
      backend: "gymnasium",
      resources: { num_env_runners: 3, num_learners: 1 },
      resume_from: "ckpt_1",
    });
    expect(toRequest({ ...draft, env: "CartPole-v1" })).not.toHaveProperty("backend");
  });

  it("has the steps of the form beyond a checkpoint whose id was typed, too", () => {
    const typed = toRequest({ ...newTraining(), resumeFrom: "ckpt_typed" });
    expect(typed).toMatchObject({ resume_from: "ckpt_typed", stop: { more_env_steps: 100_000 } });
  });

  it("is not sent with iterations that the checkpoint has done", () => {
    const draft = continuation(trained({ env_steps: 100_000 }), checkpoint);
    const stop = { ...draft.stop, iterations: "40" };
    expect(() => toRequest({ ...draft, stop })).toThrowError(/has done .* already/);
    expect(() => toRequest({ ...draft, stop, resumeFrom: "ckpt_other" })).not.toThrow();
  });

  it("becomes one of its own again", () => {
    const draft = continuation(trained({ iterations: 50 }), checkpoint);
    expect(toRequest({ ...draft, ...fresh(draft) })).toMatchObject({
      resume_from: null,
      stop: { env_steps: 100_000 },
    });
  });
});

describe("a clone of a training", () => {
  it("asks for the same, from the beginning, with its labels and without its name and notes", () => {
    const training = trained({ env_steps: 50_000, iterations: 9 }, { name: "mine", notes: "n", resume_from: "ckpt_0" });
    const request = toRequest(cloneOf({ ...training, labels: { study: "lr" } }));
    expect(request).toMatchObject({
      seed: 3,
      stop: { env_steps: 50_000, iterations: 9 },
      hyperparameters: { learning_rate: "lin_0.001", gamma: 0.9 },
      labels: { study: "lr" },
      name: null,
      notes: null,
      resume_from: null,
    });
  });
});

describe("a clone of a study's trial", () => {
  it("has the labels of the user alone", () => {
    const training = { ...trained({ env_steps: 1 }), labels: { study: "study_01", trial: "3", course: "rl1" } };
    expect(toRequest(cloneOf(training))).toMatchObject({ labels: { course: "rl1" } });
    expect(cloneOf(training).parent?.labels).toEqual({ course: "rl1" });
  });
});

describe("the list of environments", () => {
  const known = [
    { id: "Acrobot-v1", name: null, preset: "Acrobot-v1", backend: "envpool" },
    { id: "Blackjack-v1", name: null, preset: null, backend: "gymnasium" },
    { id: "CartPole-v1", name: null, preset: "CartPole-v1", backend: "envpool" },
    { id: "env_01", name: "Grid world", preset: null, backend: "sandbox" },
  ] as never;
  const found = (text: string) => matching(known, text).map(({ id }) => id);

  it("has one's own first, then those with a preset", () => {
    expect(found("")).toEqual(["env_01", "Acrobot-v1", "CartPole-v1", "Blackjack-v1"]);
  });

  it("is searched by id and name, word by word", () => {
    expect(found("jack")).toEqual(["Blackjack-v1"]);
    expect(found("WORLD grid")).toEqual(["env_01"]);
    expect(found("ca")).toEqual(["CartPole-v1"]);
    expect(found("none")).toEqual([]);
  });
});

describe("a new training", () => {
  it("is trained for as many steps as the preset of its environment, unless somebody has changed them", () => {
    const known = [
      { id: "CartPole-v1", preset_env_steps: 100_000 },
      { id: "LunarLander-v3", preset_env_steps: 1_000_000 },
      { id: "MyEnv-v0", preset_env_steps: null },
    ] as never;
    const draft = newTraining();
    const lander = { ...draft, ...withEnvironment(draft, "LunarLander-v3", known) };
    expect(lander.stop.env_steps).toBe("1000000");
    expect(withEnvironment(lander, "MyEnv-v0", known).stop?.env_steps).toBe("100000");
    const changed = { ...lander, stop: { ...lander.stop, env_steps: "5000" } };
    expect(withEnvironment(changed, "CartPole-v1", known)).toEqual({ env: "CartPole-v1" });
  });

  it("is trained for as many steps as a preset that is chosen, unless somebody has changed them", () => {
    const known = [
      { id: "CartPole-v1", preset: "CartPole-v1", preset_env_steps: 100_000 },
      { id: "LunarLander-v3", preset: "LunarLander-v2", preset_env_steps: 1_000_000 },
    ] as never;
    const draft = newTraining();
    expect(withPreset(draft, "LunarLander-v2", known).stop?.env_steps).toBe("1000000");
    const changed = { ...draft, stop: { ...draft.stop, env_steps: "5000" } };
    expect(withPreset(changed, "LunarLander-v2", known)).toEqual({ preset: "LunarLander-v2" });
  });

  it("leaves the policy evaluation to the platform, as the command line does", () => {
    expect(toRequest(newTraining())).toMatchObject({ evaluation: {} });
    expect((toRequest(newTraining()) as { evaluation: object }).evaluation).toEqual({});
  });
});

describe("what tells runs apart", () => {
  it("is the seed and all that was set", () => {
    expect(settings(trained({ env_steps: 1 }))).toBe("seed 3 · learning_rate lin_0.001 · gamma 0.9");
    const more = { preset: "CartPole-v1", resume_from: "ckpt_01m8hweezvevd9dtjrg7v6v762", env_config: { size: 4 } };
    expect(settings(trained({ env_steps: 1 }, { ...more, hyperparameters: {} }))).toBe(
      "seed 3 · preset CartPole-v1 · size 4 · from …g7v6v762",
    );
  });
});

describe("a submission's draft", () => {
  it("has an example of each grader, and keeps what somebody wrote", () => {
    const blank = newSubmission();
    const called = { ...blank, ...withGrader(blank, "function") };
    expect(called.source).not.toContain("input(");
    expect(isTouched(called)).toBe(false);
    expect({ ...called, ...withGrader(called, "stdio") }.source).toBe(blank.source);
    const own = { ...blank, source: "print(1)" };
    expect({ ...own, ...withGrader(own, "function") }).toMatchObject({ source: "print(1)", grader: "function" });
    expect(isTouched(own)).toBe(true);
  });

  it("copies what was submitted, except tests that are withheld", () => {
    const submitted: Submission = {
      id: "eval_1",
      source_name: "main.py",
      source: "def f(a): return a",
      files: [{ path: "h.py", content: "" }],
      data: [],
      grader: { kind: "function", entry: "f" },
      checker: { kind: "floats", abs_tol: 0.5, rel_tol: 0 },
      limits: { cpu_time_s: 1, memory_mib: 64 },
      image: "python-torch",
      tests: [
        { id: "a", points: 2, hidden: false, group: null, given: { args: [1], expected: { x: null } } },
        { id: "b", points: 1, hidden: true, group: null, given: {} },
        { id: "c", points: 1, hidden: true, group: null, given: { args: [2], expected: 3 } },
      ],
    };
    const request = submission(copyOf(submitted));
    expect(request).toMatchObject({
      source: submitted.source,
      files: submitted.files,
      grader: submitted.grader,
      checker: submitted.checker,
      limits: { cpu_time_s: 1, memory_mib: 64 },
      image: "python-torch",
    });
    expect(request.tests).toEqual([
      { id: "a", points: 2, hidden: false, args: [1], expected: { x: null } },
      { id: "c", points: 1, hidden: true, args: [2], expected: 3 },
    ]);
  });

  it("is run without its tests, with the input and at least the time that rlp run gives", () => {
    const draft = { ...newSubmission(), grader: "function" as const, image: "python-torch", input: "7\n" };
    const request = run({ ...draft, limits: { ...draft.limits, memory_mib: "512", wall_time_s: "60" } });
    expect(request).toMatchObject({
      source: draft.source,
      image: "python-torch",
      grader: { kind: "stdio" },
      tests: [{ stdin: "7\n", expected_stdout: null }],
      limits: { cpu_time_s: 10, wall_time_s: 60, memory_mib: 512 },
    });
    expect(run(newSubmission())).not.toHaveProperty("image");
  });

  it("sends a checker that is a program, which is copied only if it can be read", () => {
    const draft = { ...newSubmission(), checker: "program" as const, checkerSource: "exit(0)" };
    const { checker } = submission({ ...draft, convention: "testlib" });
    expect(checker).toEqual({ kind: "program", source: "exit(0)", convention: "testlib" });
    const seen = (fields: object) =>
      copyOf({
        files: [],
        data: [],
        grader: { kind: "stdio" },
        limits: {},
        tests: [],
        ...fields,
      } as unknown as Submission);
    expect(seen({ source: "", checker })).toMatchObject({ checker: "program", checkerSource: "exit(0)" });
    expect(seen({ source: "", checker: { kind: "program" } }).checker).toBe("tokens");
  });
});
