/** An evaluation while it runs: the verdict, and every test as soon as it is judged. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { bytes, duration, measure, queued, words } from "../format";
import { Problem } from "../problem";
import type { EvaluationFeed } from "../runs/feed";
import { isFinal } from "../runs/list";
import type { Printed } from "../runs/output";
import { current, may } from "../session";
import type { EpisodeInfo, Evaluation, JsonValue, Submission, TestResult } from "../types";
import { StateBadge, VerdictBadge } from "./badge";
import { GradedEpisodes, useGradedEpisodes } from "./graded-episodes";
import { KeptFiles } from "./kept-files";
import { Alert } from "./problem";
import { TextBlock } from "./text";

/** What a result is drawn from; `EvaluationFeed` is one. */
export type ResultFeed = Pick<EvaluationFeed, "document" | "output" | "problem">;

interface Props {
  feed: ResultFeed;
  submission: Submission | null;
  /** False for a submission to an assignment, which is judged in any case. */
  cancellable?: boolean;
  /** Shown in place of the score of the evaluation; null: nothing is. */
  points?: JSX.Element | null;
  /** Scroll to it when it appears: below a form it may be out of sight. */
  reveal?: boolean;
}

export function EvaluationResult({ feed, submission, reveal = false, cancellable = true, points }: Props) {
  const document = feed.document.value;
  const repeats = repeated(document);
  const judged = new Set(document.tests.map(({ id }) => id));
  const printed = [...feed.output.value].filter(([test]) => !judged.has(test));
  const [problem, setProblem] = useState<Problem | null>(null);
  const plays = submission?.grader.kind === "episode";
  const episodes = useGradedEpisodes(current().api, document.id, plays && document.state === "finished");
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    if (reveal) box.current?.scrollIntoView({ block: "nearest" });
  }, [reveal]);
  const cancel = () =>
    current()
      .api.delete(`v1/evaluations/${document.id}`)
      .catch((error) => setProblem(Problem.of(error)));
  return (
    <section class="card result" aria-labelledby="result" ref={box}>
      <header class="card-head">
        <h2 id="result">Result</h2>
        {document.verdict ? <VerdictBadge verdict={document.verdict} /> : <StateBadge state={document.state} />}
        {points === undefined && document.score !== null ? (
          <span class="score">
            {measure(document.score)} <span class="hint">of {measure(document.max_score)} points</span>
          </span>
        ) : (
          points
        )}
        {cancellable && !isFinal(document) && may("evaluate") && (
          <button type="button" class="quiet push" onClick={cancel}>
            Cancel
          </button>
        )}
      </header>
      <Alert problem={problem ?? feed.problem.value} />
      <p class="visually-hidden" role="status">
        {status(document)}
      </p>
      {document.message && <pre class="message">{document.message}</pre>}
      {document.tests.length + printed.length === 0 ? (
        <p class="empty">{waiting(document)}</p>
      ) : (
        <ul class="tests">
          {document.tests.map((test) => (
            <Test
              key={test.id}
              test={test}
              submission={submission}
              like={repeats.get(test.id)}
              episodes={Array.isArray(episodes) ? episodes.filter((one) => one.test === test.id) : (episodes ?? [])}
            />
          ))}
          {printed.map(([test, output]) => (
            <Unjudged key={test} test={test} state={document.state} output={output} />
          ))}
        </ul>
      )}
      {document.files.length > 0 && <KeptFiles files={document.files} onProblem={setProblem} />}
      {document.sandbox && (
        <p class="hint pad">
          Sandbox: {document.sandbox.tier}, {document.sandbox.runtime}, {document.sandbox.image}
        </p>
      )}
    </section>
  );
}

/** Files that a test expects, each under its path. */
function expectedFiles(given: Record<string, JsonValue>): [title: string, content: JsonValue][] {
  const files = Array.isArray(given.expect_files) ? given.expect_files : [];
  return files.flatMap((file) =>
    file !== null && typeof file === "object" && !Array.isArray(file)
      ? [[`Expected file ${file.path}`, file.content ?? null] as [string, JsonValue]]
      : [],
  );
}

function status(document: Evaluation): string {
  if (document.verdict)
    return `Finished: ${words(document.verdict)}, ${document.score} of ${document.max_score} points`;
  const last = document.tests.at(-1);
  return last ? `Test ${last.id}: ${words(last.verdict)}` : document.state;
}

function waiting({ state, queue_position }: Evaluation): string {
  if (state === "queued") return `Queued: ${queued(queue_position)}.`;
  if (state === "running") return "Running the first test…";
  return state === "cancelled" ? "Cancelled before a test had finished." : "No test has finished.";
}

/** Map tests that repeat an earlier error to the first test with it, so that the error is shown once. */
function repeated({ tests, message }: Evaluation): Map<string, string> {
  const first = new Map<string, string>();
  const found = new Map<string, string>();
  for (const test of tests) {
    if (withheld(test) || !["runtime_error", "compile_error"].includes(test.verdict)) continue;
    const error = JSON.stringify([test.verdict, test.message, test.stderr, test.stdout]);
    const earlier = first.get(error);
    if (earlier !== undefined) found.set(test.id, `test ${earlier}`);
    else first.set(error, test.id);
    if (test.verdict === "compile_error" && test.message === message) found.set(test.id, "above");
  }
  return found;
}

/** Names of a test's two outputs, by grader. */
const OUTPUTS: Record<string, [stdout: string, stderr: string]> = {
  episode: ["Actions", "Prints and errors of the program"],
  dialogue: ["Lines of the program", "Standard error"],
  interactive: ["Lines of the program", "Standard error"],
};

const INPUTS: [name: string, title: string][] = [
  ["stdin", "Input"],
  ["args", "Arguments"],
  ["kwargs", "Keyword arguments"],
  ["seed", "Seed"],
  ["turns", "Turns"],
  ["cell", "Test cell"],
  ["input", "Input of the interactor"],
  ["answer", "Answer of the interactor"],
  ["expected_stdout", "Expected output"],
  ["expected", "Expected value"],
  ["min_return", "Return to reach"],
];

interface TestProps {
  test: TestResult;
  submission: Submission | null;
  /** The test whose error this one repeats. */
  like: string | undefined;
  /** Episodes that were recorded in it, or why they cannot be shown. */
  episodes: EpisodeInfo[] | Problem;
}

function Test({ test, submission, like, episodes }: TestProps) {
  const given: Record<string, JsonValue> = submission?.tests.find(({ id }) => id === test.id)?.given ?? {};
  const grader = submission?.grader.kind;
  const [stdout, stderr] = OUTPUTS[String(grader)] ?? ["Output", "Standard error"];
  const called = grader === "function";
  const returned = test.verdict === "accepted" || test.verdict === "wrong_answer";
  const wrong = test.verdict !== "accepted" && test.verdict !== "skipped";
  const usage = [
    test.cpu_time_s !== null && `${duration(test.cpu_time_s)} CPU`,
    test.wall_time_s !== null && `${duration(test.wall_time_s)} wall`,
    test.peak_memory_bytes !== null && bytes(test.peak_memory_bytes),
  ].filter(Boolean);
  const head = (
    <>
      <span class="test-id">{test.id}</span>
      <VerdictBadge verdict={test.verdict} />
      {test.hidden && (
        <span class="badge" title="Of a hidden test, learners see only verdict and points. Staff see everything.">
          hidden
        </span>
      )}
      <span class="usage">{usage.join(" · ")}</span>
      <span class="points">{measure(test.points)} pt</span>
    </>
  );
  if (withheld(test)) {
    return (
      <li class="test">
        <div class="test-head">{head}</div>
      </li>
    );
  }
  return (
    <li class="test">
      <details open={wrong && like === undefined}>
        <summary class="test-head">{head}</summary>
        <div class="outputs">
          {like !== undefined ? (
            <p class="wide message-line">
              {like === "above" ? "The same error as above." : `The same error as in ${like}.`}
            </p>
          ) : (
            test.message && <p class="wide message-line">{test.message}</p>
          )}
          {INPUTS.map(([name, title]) =>
            given[name] == null && !(called && name === "expected") ? null : (
              <TextBlock key={name} title={title} text={textOf(given[name] ?? null)} />
            ),
          )}
          {expectedFiles(given).map(([title, content]) => (
            <TextBlock key={title} title={title} text={textOf(content)} />
          ))}
          {called && returned && <TextBlock title="Returned value" text={JSON.stringify(test.value)} />}
          {test.stdout !== null && (test.stdout || given.expected_stdout != null) && (
            <TextBlock title={test.stdout_truncated ? `${stdout}, cut` : stdout} text={test.stdout} />
          )}
          {test.stderr && like === undefined && <TextBlock title={stderr} text={test.stderr} wide />}
          {like === undefined && advice(test, "than the test has")}
          <GradedEpisodes episodes={episodes} api={current().api} />
          <p class="hint wide">{ending(test)}</p>
        </div>
      </details>
    </li>
  );
}

/** True for the result of a hidden test without its details, which only staff receive. */
const withheld = ({ hidden, stdout, message }: TestResult): boolean => hidden && stdout === null && message === null;

/** A test that is running, or was running when its evaluation was abandoned. */
function Unjudged({ test, state, output }: { test: string; state: Evaluation["state"]; output: Printed }) {
  return (
    <li class="test">
      <div class="test-head">
        <span class="test-id">{test}</span>
        <StateBadge state={state} />
      </div>
      <div class="outputs">
        <TextBlock title="Output so far" text={output.text} wide follow />
        {output.truncated && <p class="hint wide">It prints more than is shown live.</p>}
      </div>
    </li>
  );
}

const textOf = (value: JsonValue): string => (typeof value === "string" ? value : JSON.stringify(value));

/** Advice for errors that newcomers meet: a package which the sandbox lacks, and input that is not there. */
export function advice({ stderr, message }: TestResult, tooMuch: string) {
  const text = `${stderr ?? ""}\n${message ?? ""}`;
  const module = /ModuleNotFoundError: No module named '([\w.]+)'/.exec(text)?.[1];
  if (module) {
    return (
      <p class="hint wide">
        The image has no module <code>{module}</code>: choose an image with it beside the program, or ask your course
        staff for one.
      </p>
    );
  }
  return /^EOFError: EOF when reading a line/m.test(text) ? (
    <p class="hint wide">The program reads more input {tooMuch}.</p>
  ) : null;
}

function ending({ exit_code, signal }: TestResult): string {
  if (signal) return `Ended by ${signal}`;
  return exit_code === null ? "" : `Exit status ${exit_code}`;
}
