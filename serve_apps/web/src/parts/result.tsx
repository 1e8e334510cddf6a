/** An evaluation as it goes on: the verdict, and every test as soon as it is judged. */
import { useEffect, useRef, useState } from "preact/hooks";
import { bytes, duration, measure, queued } from "../format";
import { Problem } from "../problem";
import type { EvaluationFeed } from "../runs/feed";
import { words } from "../runs/journal";
import { isFinal } from "../runs/list";
import type { Printed } from "../runs/output";
import { testCase } from "../runs/submitted";
import { current } from "../session";
import type { Evaluation, EvaluationState, TestCase, TestResult } from "../types";
import { StateBadge, VerdictBadge } from "./badge";
import { Alert } from "./problem";
import { TextBlock } from "./text";

interface Props {
  feed: EvaluationFeed;
  /** Scroll to it when it appears: below a form it may be out of sight. */
  reveal?: boolean;
}

export function EvaluationResult({ feed, reveal = false }: Props) {
  const document = feed.document.value;
  const judged = new Set(document.tests.map(({ id }) => id));
  const printed = [...feed.output.value].filter(([test]) => !judged.has(test));
  const [problem, setProblem] = useState<Problem | null>(null);
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
        {document.score !== null && (
          <span class="score">
            {measure(document.score)} <span class="hint">of {measure(document.max_score)} points</span>
          </span>
        )}
        {!isFinal(document) && (
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
            <Test key={test.id} test={test} given={testCase(document.id, test.id)} />
          ))}
          {printed.map(([test, output]) => (
            <Unjudged key={test} test={test} state={document.state} output={output} />
          ))}
        </ul>
      )}
      {document.sandbox && (
        <p class="hint pad">
          Sandbox: {document.sandbox.tier}, {document.sandbox.runtime}, {document.sandbox.image}
        </p>
      )}
    </section>
  );
}

function status(document: Evaluation): string {
  if (document.verdict)
    return `Finished: ${words(document.verdict)}, ${document.score} of ${document.max_score} points`;
  const last = document.tests.at(-1);
  return last ? `Test ${last.id}: ${words(last.verdict)}` : document.state;
}

function waiting({ state, queue_position }: Evaluation): string {
  if (state === "queued") return `${queued(queue_position)}…`;
  if (state === "running") return "Running the first test…";
  return state === "cancelled" ? "Cancelled before any test was judged." : "No test was judged.";
}

function Test({ test, given }: { test: TestResult; given: TestCase | undefined }) {
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
      {test.hidden && <span class="badge">hidden</span>}
      <span class="usage">{usage.join(" · ")}</span>
      <span class="points">{measure(test.points)} pt</span>
    </>
  );
  if (test.hidden) {
    return (
      <li class="test">
        <div class="test-head">{head}</div>
      </li>
    );
  }
  return (
    <li class="test">
      <details open={wrong}>
        <summary class="test-head">{head}</summary>
        <div class="outputs">
          {test.message && <p class="wide message-line">{test.message}</p>}
          {given?.stdin !== undefined && <TextBlock title="Input" text={given.stdin} />}
          {given?.args !== undefined && <TextBlock title="Arguments" text={JSON.stringify(given.args)} />}
          {given?.expected_stdout != null && <TextBlock title="Expected output" text={given.expected_stdout} />}
          {given?.expected !== undefined && <TextBlock title="Expected value" text={JSON.stringify(given.expected)} />}
          {given?.expected !== undefined && <TextBlock title="Returned value" text={JSON.stringify(test.value)} />}
          {test.stdout !== null && (test.stdout || given?.expected_stdout) && (
            <TextBlock title={test.stdout_truncated ? "Output, cut" : "Output"} text={test.stdout} />
          )}
          {test.stderr && <TextBlock title="Standard error" text={test.stderr} wide />}
          <p class="hint wide">{ending(test)}</p>
        </div>
      </details>
    </li>
  );
}

/** A test that runs, or did so when its evaluation was given up. */
function Unjudged({ test, state, output }: { test: string; state: EvaluationState; output: Printed }) {
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

function ending({ exit_code, signal }: TestResult): string {
  if (signal) return `Ended by ${signal}`;
  return exit_code === null ? "" : `Exit status ${exit_code}`;
}
