/** A reward function being written: the request that it makes, and its check in a sandbox. */
import type { FormRequest } from "../drafts/submission";
import check from "../rewards/check.py?raw";
import { type Mark, markOf, syntaxMark } from "../runs/traceback";
import type { Evaluation, JsonValue, RewardFunction } from "../types";

export interface RewardDraft {
  /** Python source; empty: the environment's own rewards are trained on. */
  reward: string;
  rewardEntry: string;
}

export const NO_REWARD: RewardDraft = { reward: "", rewardEntry: "reward" };

/** A function to begin with: it changes nothing yet. */
export const EXAMPLE = `def reward(observation, action, next_observation, reward, terminated, truncated):
    """Return the reward to train on. \`reward\` is the environment's own."""
    return reward
`;

const FILE = "reward.py";
const DEF = /^def\s+([A-Za-z_]\w*)\s*\(/gm;

/** Return the functions that `source` defines at its top level. */
export const functionsOf = (source: string): string[] => [...source.matchAll(DEF)].flatMap(([, name]) => name ?? []);

/** Return the draft with another source: a function that it does not have is replaced by its last one. */
export function withSource({ rewardEntry }: RewardDraft, source: string): RewardDraft {
  const found = functionsOf(source);
  const kept = found.length === 0 || found.includes(rewardEntry);
  return { reward: source, rewardEntry: kept ? rewardEntry : (found.at(-1) ?? rewardEntry) };
}

export const toReward = ({ reward, rewardEntry }: RewardDraft): RewardFunction | null =>
  reward.trim() === "" ? null : { source: reward, entry: rewardEntry.trim() };

/** Return the evaluation that calls the function for random steps of `env`. */
export function toCheck(
  { reward, rewardEntry }: RewardDraft,
  env: string,
  config: Record<string, JsonValue>,
): Partial<FormRequest> {
  const asked = { entry: rewardEntry.trim(), env, env_config: config };
  return {
    source: check,
    files: [{ path: FILE, content: reward }],
    tests: [{ id: "check", stdin: JSON.stringify(asked), expected_stdout: null, points: 1, hidden: false }],
    grader: { kind: "stdio" },
    limits: { cpu_time_s: 20, wall_time_s: 40 },
  };
}

export interface RewardReport {
  holds: boolean;
  message: string;
  /** The line that failed. */
  marks: Mark[];
}

/** Return what the evaluation of `toCheck` found. */
export function reportOf({ state, verdict, message, tests }: Evaluation): RewardReport {
  const [test] = tests;
  if (verdict === "accepted") return { holds: true, message: (test?.stdout ?? "").trim(), marks: [] };
  const stderr = (test?.stderr ?? "").trim();
  const mark = markOf(stderr, FILE) ?? syntaxMark(test?.message ?? message ?? "", FILE);
  const said = mark ? `Line ${mark.line}: ${mark.message}` : stderr.split("\n").at(-1) || test?.message || message;
  return { holds: false, message: said || `The check ended as ${verdict ?? state}.`, marks: mark ? [mark] : [] };
}
