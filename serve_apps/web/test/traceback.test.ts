import { describe, expect, it } from "vitest";
import { markOf, marksOf } from "../src/runs/traceback";
import type { Evaluation, TestResult } from "../src/types";

const traceback = (line: number, error: string) =>
  `Traceback (most recent call last):
  File "main.py", line 9, in <module>
    solve()
  File "/submission/main.py", line ${line}, in solve
    return helper.half(1)
  File "helper.py", line 2, in half
    return 1 / 0
${error}
`;
const test = (fields: Partial<TestResult>) => ({ verdict: "runtime_error", stderr: null, message: null, ...fields });
const evaluation = (verdict: string, tests: object[], message: string | null = null) =>
  ({ verdict, tests, message }) as Evaluation;

describe("the line that failed", () => {
  it("is the innermost frame of the program itself, with the error", () => {
    expect(markOf(traceback(4, "ZeroDivisionError: division by zero"))).toEqual({
      line: 4,
      message: "ZeroDivisionError: division by zero",
    });
  });

  it("is that of the error raised last, where one led to another", () => {
    const chained = `${traceback(4, "KeyError: 'a'")}
During handling of the above exception, another exception occurred:

${traceback(7, "mine.CustomError: no")}`;
    expect(markOf(chained)).toEqual({ line: 7, message: "mine.CustomError: no" });
  });

  it("is none where the program is not in it", () => {
    expect(markOf("")).toBeNull();
    expect(markOf("line 3 of main.py is fine")).toBeNull();
    expect(markOf('  File "xmain.py", line 3, in f')).toBeNull();
  });

  it("is marked once for all tests, and not for accepted ones", () => {
    const failed = test({ stderr: traceback(2, "EOFError: EOF when reading a line") });
    const passed = test({ verdict: "accepted", stderr: traceback(3, "Warning: harmless") });
    expect(marksOf(evaluation("runtime_error", [passed, failed, failed])).map(({ line }) => line)).toEqual([2]);
  });

  it("is that of a syntax error", () => {
    const message = "main.py, line 3: SyntaxError: '(' was never closed";
    const refused = test({ verdict: "compile_error", message });
    const mark = { line: 3, message: "SyntaxError: '(' was never closed" };
    expect(marksOf(evaluation("compile_error", [refused], message))).toEqual([mark]);
    expect(marksOf(evaluation("compile_error", [], "helper.py, line 3: SyntaxError: x"))).toEqual([]);
  });
});
