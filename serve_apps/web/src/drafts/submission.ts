/** A submission being written, and the request that it makes. */
import { type FieldError, Problem } from "../problem";
import type { EvaluationRequest, JsonValue, Submission, TestCase } from "../types";

type Checker = NonNullable<EvaluationRequest["checker"]>;
export type CheckerKind = Checker["kind"];
export type Convention = NonNullable<Extract<Checker, { kind: "program" }>["convention"]>;

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
  /** Name of the image; empty: the platform's default. */
  image: string;
  /** What a run without tests reads. */
  input: string;
  checker: CheckerKind;
  absTol: string;
  relTol: string;
  /** The checker, if it is a program, and how it answers. */
  checkerSource: string;
  convention: Convention;
  limits: Record<string, string>;
  stopOnFailure: boolean;
}

export const CHECKERS: [kind: CheckerKind, label: string, hint: string][] = [
  ["tokens", "Words", "The same words in the same order; white space does not count."],
  ["lines", "Lines", "The same lines; trailing white space and empty lines at the end do not count."],
  ["exact", "Exact", "The same to the byte."],
  ["floats", "Numbers with tolerance", "The same words, numbers compared with a tolerance."],
  ["unordered", "Any order", "The same lines, or list items, in any order."],
  ["program", "A program of yours", "It is run after each test, in a sandbox of its own. Learners cannot read it."],
];

export const CONVENTIONS: [convention: Convention, label: string, hint: string][] = [
  ["json", "JSON", 'Called with the files input, output, expected; prints {"score": 0 to 1, "message": "…"}.'],
  [
    "testlib",
    "testlib",
    "Called with the files input, output, expected; exit status 0: right, 1 or 2: wrong, 7: partly.",
  ],
  ["kattis", "Kattis", "Called with input, expected and a folder, output on stdin; exit status 42: right, 43: wrong."],
];

const CHECKER_EXAMPLE = `import json
import sys

given, output, expected = (open(path).read() for path in sys.argv[1:4])
right = output.split() == expected.split()
print(json.dumps({"score": 1 if right else 0, "message": None if right else "not the same words"}))
`;

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
    image: "",
    input: "21\n",
    checker: "tokens",
    absTol: "1e-9",
    relTol: "1e-6",
    checkerSource: CHECKER_EXAMPLE,
    convention: "json",
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
  const { source, files, data, grader, checker, limits, image } = submission;
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
    image: image ?? "",
    checker:
      checker.kind === "program" && typeof checker.source !== "string" ? blank.checker : (checker.kind as CheckerKind),
    checkerSource: typeof checker.source === "string" ? checker.source : blank.checkerSource,
    convention: (checker.convention as Convention | undefined) ?? blank.convention,
    absTol: String(checker.abs_tol ?? blank.absTol),
    relTol: String(checker.rel_tol ?? blank.relTol),
    limits: Object.fromEntries(LIMITS.map(([name, , value]) => [name, String(limits[name] ?? value)])),
  };
}

/** Make the request. Throws a `Problem` if a field is not JSON, or not a number. */
export function toRequest(draft: SubmissionDraft): FormRequest {
  const errors: FieldError[] = [];
  const number = (field: string, text: string) => parseNumber(field, text, errors);
  const request: FormRequest = {
    ...programOf(draft),
    grader: draft.grader === "stdio" ? { kind: "stdio" } : { kind: "function", entry: draft.entry },
    tests: draft.tests.map((test, index) => {
      const common = { id: test.id, points: number(`tests.${index}.points`, test.points), hidden: test.hidden };
      return draft.grader === "stdio"
        ? { ...common, stdin: test.stdin, expected_stdout: test.anyOutput ? null : test.expectedStdout }
        : { ...common, ...call(test, index, errors) };
    }),
    checker: checkerOf(draft, errors),
    limits: limitsOf(draft, errors),
    stop_on_failure: draft.stopOnFailure,
  };
  return unlessWrong(request, errors);
}

/** The least limits of a run without tests, which are those of `rlp run`. */
const RUN_LIMITS: Record<string, number> = { cpu_time_s: 10, wall_time_s: 30 };
export const RUN = "run";

/** Make the request that runs the program once with the draft's input, without its tests. Throws as `toRequest` does. */
export function toRunRequest(draft: SubmissionDraft): FormRequest {
  const errors: FieldError[] = [];
  const limits = limitsOf(draft, errors);
  for (const [name, least] of Object.entries(RUN_LIMITS)) limits[name] = Math.max(limits[name] ?? 0, least);
  const request: FormRequest = {
    ...programOf(draft),
    grader: { kind: "stdio" },
    tests: [{ id: RUN, stdin: draft.input, expected_stdout: null, points: 1, hidden: false }],
    checker: { kind: "tokens" },
    limits,
  };
  return unlessWrong(request, errors);
}

function programOf(draft: SubmissionDraft): Pick<FormRequest, "source" | "files" | "data" | "image"> {
  return {
    source: draft.archive ? { file: draft.archive.file } : draft.source,
    ...(draft.files.length > 0 ? { files: draft.files } : {}),
    ...(draft.data.length > 0 ? { data: draft.data } : {}),
    ...(draft.image === "" ? {} : { image: draft.image }),
  };
}

function checkerOf(draft: SubmissionDraft, errors: FieldError[]): Checker {
  switch (draft.checker) {
    case "floats":
      return {
        kind: "floats",
        abs_tol: parseNumber("checker.abs_tol", draft.absTol, errors),
        rel_tol: parseNumber("checker.rel_tol", draft.relTol, errors),
      };
    case "program":
      return { kind: "program", source: draft.checkerSource, convention: draft.convention };
    default:
      return { kind: draft.checker };
  }
}

const limitsOf = (draft: SubmissionDraft, errors: FieldError[]): Record<string, number> =>
  Object.fromEntries(
    Object.entries(draft.limits).map(([name, text]) => [name, parseNumber(`limits.${name}`, text, errors)]),
  );

function unlessWrong(request: FormRequest, errors: FieldError[]): FormRequest {
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
