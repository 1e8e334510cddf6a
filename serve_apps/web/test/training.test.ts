import { describe, expect, it } from "vitest";
import { newTraining, toRequest } from "../src/drafts/training";

describe("a hyperparameter's text", () => {
  it.each([
    ["0.98", 0.98],
    [" .98 ", 0.98],
    ["5.", 5],
    ["1e-4", 1e-4],
    ["True", true],
    ["None", null],
    ["lin_0.001", "lin_0.001"],
    ['{"norm_obs": true}', { norm_obs: true }],
    ["", ""],
  ])("%j", (value, sent) => {
    const draft = { ...newTraining(), hyperparameters: [{ key: 1, name: "gamma", value }] };
    expect(toRequest(draft)).toMatchObject({ hyperparameters: { gamma: sent } });
  });
});
