/** A submission being written, and the request that it makes. */
import { type FieldError, Problem } from "../problem";
import type { EvaluationRequest, JsonValue, Submission, TestCase } from "../types";

type Checker = NonNullable<EvaluationRequest["checker"]>;
/** Checkers that the form offers: a program of the instructor's is sent through the API. */
export type CheckerKind = Exclude<Checker["kind"], "program">;

type With<T, Fields extends keyof T> = T & Required<Pick<T, Fields>>;

/** A request with all fields that the form knows. */
export interface FormRequest extends With<EvaluationRequest, "grader" | "checker" | "limits"> {
  tests: With<TestCase, "points" | "hidden">[];
}

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
  /** Further files, which are sent unchanged. */
  files: Submission["files"];
  /** Uploaded files that the program can read. */
  data: Submission["data"];
  /** An uploaded archive in place of the program. */
  archive: { name: string; file: string } | null;
  grader: "stdio" | "function";
  entry: string;
  tests: TestDraft[];
  checker: CheckerKind;
  absTol: string;
  relTol: string;
  limits: Record<string, string>;
  stopOnFailure: boolean;
}

export const CHECKERS: [kind: CheckerKind, label: string, hint: string][] = [
  ["tokens", "Words", "The same words in the same order; white space does not count."],
  ["lines", "Lines", "The same lines; trailing white space and empty lines at the end do not count."],
  ["exact", "Exact", "The same to the byte."],
  ["floats", "Numbers with tolerance", "The same words, numbers compared with a tolerance."],
  ["unordered", "Any order", "The same lines, or list items, in any order."],
];

export const LIMITS: [name: string, label: string, value: string][] = [
  ["cpu_time_s", "CPU time (s)", "2"],
  ["wall_time_s", "Wall time (s)", "6"],
  ["memory_mib", "Memory (MiB)", "256"],
  ["output_kib", "Output (KiB)", "256"],
  ["processes", "Processes", "32"],
];

/** Programs to begin with: each is accepted with the tests of a new submission. */
const EXAMPLES: Record<SubmissionDraft["grader"], string> = {
  stdio: `def double(n):
    return n * 2


print(double(int(input())))
`,
  function: `def double(n):
    return n * 2
`,
};

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
    source: EXAMPLES.stdio,
    files: [],
    data: [],
    archive: null,
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

/** Return the changes for another grader: an example that nobody has edited becomes that grader's. */
export function withGrader(draft: SubmissionDraft, grader: SubmissionDraft["grader"]): Partial<SubmissionDraft> {
  const untouched = Object.values(EXAMPLES).includes(draft.source);
  return untouched ? { grader, source: EXAMPLES[grader] } : { grader };
}

/** True if somebody has written something of their own. */
export const isTouched = (draft: SubmissionDraft): boolean => !Object.values(EXAMPLES).includes(draft.source);

/** Copy a submission into a draft, without tests whose content is withheld or whose grader the form does not offer. */
export function copyOf(submission: Submission): SubmissionDraft {
  const { source, files, data, grader, checker, limits } = submission;
  const blank = newSubmission();
  const known = grader.kind === "stdio" || grader.kind === "function";
  const text = (value: JsonValue | undefined, otherwise: string) =>
    value === undefined ? otherwise : JSON.stringify(value);
  const tests: TestDraft[] = [];
  for (const { id, points, hidden, given } of submission.tests) {
    if ((hidden && Object.keys(given).length === 0) || !known) continue;
    tests.push(
      newTest(tests, {
        id,
        points: String(points),
        hidden,
        stdin: typeof given.stdin === "string" ? given.stdin : "",
        expectedStdout: typeof given.expected_stdout === "string" ? given.expected_stdout : "",
        anyOutput: grader.kind === "stdio" && given.expected_stdout == null,
        args: text(given.args, "[]"),
        expected: text(given.expected, "null"),
      }),
    );
  }
  return {
    ...blank,
    ...(typeof source === "string" ? { source } : { archive: { name: "uploaded program", file: source.file } }),
    files,
    data,
    grader: grader.kind === "function" ? "function" : "stdio",
    entry: typeof grader.entry === "string" ? grader.entry : blank.entry,
    tests: tests.length > 0 ? tests : [newTest([])],
    checker: checker.kind === "program" ? blank.checker : (checker.kind as CheckerKind),
    absTol: String(checker.abs_tol ?? blank.absTol),
    relTol: String(checker.rel_tol ?? blank.relTol),
    limits: Object.fromEntries(LIMITS.map(([name, , value]) => [name, String(limits[name] ?? value)])),
  };
}

/** Make the request. Throws a `Problem` if a field is not JSON, or not a number. */
export function toRequest(draft: SubmissionDraft): FormRequest {
  const errors: FieldError[] = [];
  const number = (field: string, text: string) => parseNumber(field, text, errors);
  const checker: Checker =
    draft.checker === "floats"
      ? {
          kind: "floats",
          abs_tol: number("checker.abs_tol", draft.absTol),
          rel_tol: number("checker.rel_tol", draft.relTol),
        }
      : { kind: draft.checker };
  const request: FormRequest = {
    source: draft.archive ? { file: draft.archive.file } : draft.source,
    ...(draft.files.length > 0 ? { files: draft.files } : {}),
    ...(draft.data.length > 0 ? { data: draft.data } : {}),
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
  return {
    args: args as JsonValue[],
    expected: parseJson(`tests.${index}.expected`, test.expected, errors) as JsonValue,
  };
}

export function parseJson(field: string, text: string, errors: FieldError[]): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
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
