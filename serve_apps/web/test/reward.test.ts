import { describe, expect, it } from "vitest";
import { cloneOf } from "../src/drafts/earlier";
import { EXAMPLE, functionsOf, NO_REWARD, reportOf, toCheck, withSource } from "../src/drafts/reward";
import { newTraining, toRequest } from "../src/drafts/training";
import type { Evaluation, Training } from "../src/types";

const SHAPED = "import math\n\ndef helper(x):\n    return x\n\ndef shaped(*step):\n    return helper(1)\n";
const ended = (verdict: string, test: object) => ({ verdict, tests: [{ verdict, ...test }] }) as unknown as Evaluation;

describe("a reward function in the form", () => {
  it("is part of the request, and only if there is one", () => {
    expect(toRequest(newTraining())).toMatchObject({ reward: null });
    const draft = { ...newTraining(), reward: EXAMPLE };
    expect(toRequest(draft)).toMatchObject({ reward: { source: EXAMPLE, entry: "reward" } });
  });

  it("is chosen among the functions of the text", () => {
    expect(functionsOf(SHAPED)).toEqual(["helper", "shaped"]);
    expect(withSource(NO_REWARD, SHAPED).rewardEntry).toBe("shaped");
    expect(withSource({ reward: "", rewardEntry: "helper" }, SHAPED).rewardEntry).toBe("helper");
    expect(withSource({ reward: SHAPED, rewardEntry: "shaped" }, "de").rewardEntry).toBe("shaped");
  });

  it("is kept by a clone of the training", () => {
    const request = toRequest({ ...newTraining(), reward: SHAPED, rewardEntry: "shaped" });
    const clone = cloneOf({ request, labels: {} } as unknown as Training);
    expect([clone.reward, clone.rewardEntry]).toEqual([SHAPED, "shaped"]);
  });
});

describe("the check of a reward function", () => {
  it("runs it beside the program that calls it", () => {
    const request = toCheck({ reward: SHAPED, rewardEntry: "shaped " }, "CartPole-v1", { sutton_barto_reward: true });
    expect(request.files).toEqual([{ path: "reward.py", content: SHAPED }]);
    expect(request.source).toContain("import_module");
    const asked = { entry: "shaped", env: "CartPole-v1", env_config: { sutton_barto_reward: true } };
    expect(JSON.parse(request.tests?.[0]?.stdin as string)).toEqual(asked);
  });

  it("says the range of rewards", () => {
    const report = reportOf(ended("accepted", { stdout: "200 random steps: rewards from 0 to 1\n" }));
    expect(report).toEqual({ holds: true, message: "200 random steps: rewards from 0 to 1", marks: [] });
  });

  it("marks the line that raised", () => {
    const stderr = `Traceback (most recent call last):
  File "/submission/main.py", line 40, in call
    found = function(before)
  File "/submission/reward.py", line 7, in shaped
    return helper(1) / 0
ZeroDivisionError: division by zero
`;
    const report = reportOf(ended("runtime_error", { stderr, message: "exit status 1" }));
    expect(report.marks).toEqual([{ line: 7, message: "ZeroDivisionError: division by zero" }]);
    expect(report.message).toBe("Line 7: ZeroDivisionError: division by zero");
  });

  it("says what no line is to blame for", () => {
    const stderr = "step 1: it returned nan; a reward is finite\n";
    expect(reportOf(ended("runtime_error", { stderr }))).toMatchObject({ holds: false, message: stderr.trim() });
    expect(reportOf(ended("time_limit_exceeded", { message: "20 s of CPU time are used up" })).message).toContain(
      "20 s",
    );
  });
});
