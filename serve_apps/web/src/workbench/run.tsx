/** A run without tests: what the program is given, what it prints, and how it ends. */
import { useEffect, useRef, useState } from "preact/hooks";
import { RUN } from "../drafts/submission";
import { bytes, duration, words } from "../format";
import { Badge, StateBadge } from "../parts/badge";
import { Alert, Field } from "../parts/problem";
import { advice } from "../parts/result";
import { TextBlock } from "../parts/text";
import { Problem } from "../problem";
import type { EvaluationFeed } from "../runs/feed";
import { isFinal } from "../runs/list";
import { current } from "../session";
import type { TestResult } from "../types";

export function RunInput({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  return (
    <Field name="tests.0.stdin" label="Input for Run">
      {(control) => (
        <textarea
          {...control}
          class="mono"
          rows={2}
          spellcheck={false}
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

export function RunOutput({ feed }: { feed: EvaluationFeed }) {
  const document = feed.document.value;
  const test = document.tests.find(({ id }) => id === RUN);
  const live = feed.output.value.get(RUN);
  const [problem, setProblem] = useState<Problem | null>(null);
  const box = useRef<HTMLElement>(null);
  useEffect(() => box.current?.scrollIntoView({ block: "nearest" }), []);
  const stop = () =>
    current()
      .api.delete(`v1/evaluations/${document.id}`)
      .catch((error) => setProblem(Problem.of(error)));
  const ended = test !== undefined && test.verdict !== "cancelled";
  const printed = test?.stdout || live?.text || "";
  return (
    <section class="card result" aria-labelledby="run-output" ref={box}>
      <header class="card-head">
        <h2 id="run-output">Output</h2>
        {ended ? <Ending test={test} /> : <StateBadge state={document.state} />}
        {!isFinal(document) && (
          <button type="button" class="quiet push" onClick={stop}>
            Stop
          </button>
        )}
      </header>
      <Alert problem={problem ?? feed.problem.value} />
      <p class="visually-hidden" role="status">
        {ended ? `Finished: ${ending(test)}` : document.state}
      </p>
      {!test && document.message && <pre class="message">{document.message}</pre>}
      <div class="outputs">
        {test?.message && (test.exit_code === null || !test.stderr) && <p class="wide message-line">{test.message}</p>}
        <TextBlock
          title={test?.stdout_truncated || live?.truncated ? "Printed, cut" : "Printed"}
          text={printed}
          wide
          follow={!test}
        />
        {test?.stderr && <TextBlock title="Standard error" text={test.stderr} wide />}
        {test && advice(test, "than there is under “Input for Run”")}
        {test && <p class="hint wide">{usage(test)}</p>}
      </div>
    </section>
  );
}

function Ending({ test }: { test: TestResult }) {
  const well = test.verdict === "accepted";
  return <Badge tone={well ? "good" : "bad"} sign={well ? "✓" : "✕"} text={ending(test)} />;
}

function ending({ verdict, exit_code, signal }: TestResult): string {
  if (verdict === "accepted" || verdict === "runtime_error") {
    if (signal) return `ended by ${signal}`;
    if (exit_code !== null) return `exit status ${exit_code}`;
  }
  return words(verdict);
}

const usage = ({ cpu_time_s, wall_time_s, peak_memory_bytes }: TestResult): string =>
  [
    cpu_time_s !== null && `${duration(cpu_time_s)} CPU`,
    wall_time_s !== null && `${duration(wall_time_s)} wall`,
    peak_memory_bytes !== null && bytes(peak_memory_bytes),
  ]
    .filter(Boolean)
    .join(" · ");
