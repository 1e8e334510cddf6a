import { expect, test } from "vitest";
import type { RunEvent } from "../src/events";
import { EventReader } from "../src/live/sse";
import { Problem } from "../src/problem";

const event = (seq: number) => `id: ${seq}\ndata: ${JSON.stringify({ seq, type: "evaluation.started" })}\n\n`;

/** A reader of these answers, one for each connection: parts of a body, no content, or a problem. */
function reading(answers: (string[] | 204 | Problem)[]) {
  const asked: number[] = [];
  const seen: number[] = [];
  const problems: Problem[] = [];
  const ended = new Promise<void>((resolve) => {
    const reader = {
      onEvent: ({ seq }: RunEvent) => seen.push(seq),
      onEnd: resolve,
      onError: (problem: Problem) => {
        problems.push(problem);
        resolve();
      },
    };
    const open = async (after: number) => {
      asked.push(after);
      const answer = answers.shift() ?? 204;
      if (answer instanceof Problem) throw answer;
      if (answer === 204) return new Response(null, { status: 204 });
      return new Response(new Blob(answer).stream());
    };
    new EventReader(open, reader, async () => {});
  });
  return { asked, seen, problems, ended };
}

test("events are given once, over lost connections and texts that are cut anywhere", async () => {
  const text = `: heartbeat\n\n${event(1)}${event(2)}`;
  const { asked, seen, ended } = reading([
    [text.slice(0, 25), text.slice(25)],
    [event(2), event(3), "event: reconnect\ndata: {}\n\n"],
    204,
  ]);
  await ended;
  expect(seen).toEqual([1, 2, 3]);
  expect(asked).toEqual([0, 2, 3]);
});

test("a stream that is not there yet is asked for again, a refusal is not", async () => {
  const absent = new Problem("not_found", "Not found", "", 404);
  const { seen, ended } = reading([absent, absent, Problem.unreachable(), [event(1)], 204]);
  await ended;
  expect(seen).toEqual([1]);
  const refused = reading([new Problem("not_allowed", "Not allowed", "", 403)]);
  await refused.ended;
  expect(refused.problems.map(({ status }) => status)).toEqual([403]);
});

test("a stream that is gone ends", async () => {
  const absent = new Problem("not_found", "Not found", "", 404);
  const { asked, ended } = reading(Array.from({ length: 20 }, () => absent));
  await ended;
  expect(asked.length).toBe(7);
});
