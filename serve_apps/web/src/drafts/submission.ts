/** A submission being written, and the request that it makes. */
import { type FieldError, Problem } from "../problem";
import type { EvaluationRequest, Json, TestCase } from "../types";

export interface TestDraft {
  key: number;
  id: string;
  stdin: string;
  expectedStdout: string;
  anyOutput: boolean;
  args: string;
  expected: string;
  points: string;
  hidden: boolean;
}

export interface SubmissionDraft {
  source: string;
  grader: "stdio" | "function";
  entry: string;
  tests: TestDraft[];
  checker: string;
  absTol: string;
  relTol: string;
  limits: Record<string, string>;
  stopOnFailure: boolean;
}

export const CHECKERS: [kind: string, label: string, hint: string][] = [
  ["tokens", "Words", "The same words in the same order; white space does not count."],
  ["lines", "Lines", "The same lines; trailing white space and empty lines at the end do not count."],
  ["exact", "Exact", "The same to the byte."],
  ["floats", "Numbers with tolerance", "The same words, numbers compared with a tolerance."],
  ["unordered", "Any order", "The same lines, or list items, in any order."],
];

export const LIMITS: [name: string, label: string, value: string][] = [
  ["cpu_time_s", "CPU time (s)", "2"],
  ["wall_time_s", "Wall time (s)", "6"],
  ["memory_mb", "Memory (MiB)", "256"],
  ["output_kb", "Output (KiB)", "256"],
  ["processes", "Processes", "32"],
];

const EXAMPLE = `def double(n):
    return n * 2


print(double(int(input())))
`;

let keys = 0;

export function newTest(tests: readonly TestDraft[], fields: Partial<TestDraft> = {}): TestDraft {
  const taken = new Set(tests.map((test) => test.id));
  let number = tests.length + 1;
  while (taken.has(`t${number}`)) number += 1;
  keys = Math.max(keys, ...tests.map((test) => test.key)) + 1;
  return {
    key: keys,
    id: `t${number}`,
    stdin: "",
    expectedStdout: "",
    anyOutput: false,
    args: "[]",
    expected: "null",
    points: "1",
    hidden: false,
    ...fields,
  };
}

export function newSubmission(): SubmissionDraft {
  const tests: TestDraft[] = [];
  for (const number of [2, 21, -4]) {
    const fields = {
      stdin: `${number}\n`,
      expectedStdout: `${number * 2}\n`,
      args: `[${number}]`,
      expected: `${number * 2}`,
    };
    tests.push(newTest(tests, fields));
  }
  return {
    source: EXAMPLE,
    grader: "stdio",
    entry: "double",
    tests,
    checker: "tokens",
    absTol: "1e-9",
    relTol: "1e-6",
    limits: Object.fromEntries(LIMITS.map(([name, , value]) => [name, value])),
    stopOnFailure: false,
  };
}

/** What to send. Throws a `Problem` where a field holds no JSON, or no number. */
export function toRequest(draft: SubmissionDraft): EvaluationRequest {
  const errors: FieldError[] = [];
  const number = (field: string, text: string) => parseNumber(field, text, errors);
  const checker: EvaluationRequest["checker"] = { kind: draft.checker };
  if (draft.checker === "floats") {
    checker.abs_tol = number("checker.abs_tol", draft.absTol);
    checker.rel_tol = number("checker.rel_tol", draft.relTol);
  }
  const request: EvaluationRequest = {
    source: draft.source,
    grader: draft.grader === "stdio" ? { kind: "stdio" } : { kind: "function", entry: draft.entry },
    tests: draft.tests.map((test, index) => {
      const common = { id: test.id, points: number(`tests.${index}.points`, test.points), hidden: test.hidden };
      return draft.grader === "stdio"
        ? { ...common, stdin: test.stdin, expected_stdout: test.anyOutput ? null : test.expectedStdout }
        : { ...common, ...call(test, index, errors) };
    }),
    checker,
    limits: Object.fromEntries(
      Object.entries(draft.limits).map(([name, text]) => [name, number(`limits.${name}`, text)]),
    ),
    stop_on_failure: draft.stopOnFailure,
  };
  if (errors.length > 0) throw new Problem("invalid_request", "Not sent yet", errors[0]?.message ?? "", 0, errors);
  return request;
}

function call(test: TestDraft, index: number, errors: FieldError[]): Pick<TestCase, "args" | "expected"> {
  const args = parseJson(`tests.${index}.args`, test.args, errors);
  if (args !== undefined && !Array.isArray(args)) {
    errors.push({ field: `tests.${index}.args`, message: "The arguments are a JSON list, such as [1, 2]." });
  }
  return { args: args as Json[], expected: parseJson(`tests.${index}.expected`, test.expected, errors) as Json };
}

export function parseJson(field: string, text: string, errors: FieldError[]): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    errors.push({ field, message: 'This is not JSON. Text goes in double quotes: "text".' });
    return undefined;
  }
}

export function parseNumber(field: string, text: string, errors: FieldError[]): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) errors.push({ field, message: "Give a number." });
  return value;
}
