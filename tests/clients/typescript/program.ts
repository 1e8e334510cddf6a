// An integrator's program on openapi-fetch and the types that openapi-typescript has generated: an evaluation and a
// training, whole. node program.js URL KEY

import createClient from "openapi-fetch";
import type { components, paths, webhooks } from "./schema";

type Event = components["schemas"]["Event"];
type ClientMessage = components["schemas"]["LiveClientMessage"];
type ServerMessage = components["schemas"]["LiveServerMessage"];
type Finished = webhooks["evaluation.finished"]["post"]["requestBody"]["content"]["application/json"];

declare const process: { argv: string[] };
const [url, key] = process.argv.slice(2) as [string, string];
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });

function check(condition: unknown, about: unknown): asserts condition {
  if (!condition) throw new Error(`not as expected: ${JSON.stringify(about)}`);
}

async function* events(body: ReadableStream<Uint8Array> | null | undefined): AsyncGenerator<Event> {
  check(body, "a stream");
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of body) {
    text += decoder.decode(piece, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = block.split("\n").find((line) => line.startsWith("data:"));
      if (data !== undefined && !block.includes("event:")) yield JSON.parse(data.slice(5)) as Event;
    }
  }
}

async function evaluate(): Promise<void> {
  const request = {
    source: "print(int(input()) * 2)",
    tests: [{ id: "t1", stdin: "2\n", expected_stdout: "4\n" }],
    checker: { kind: "floats", rel_tol: 0.01 },
    limits: { cpu_time_s: 1 },
  } satisfies components["schemas"]["EvaluationRequest"];
  const whole = await client.POST("/v1/evaluations", {
    params: { query: { wait: 30 }, header: { "Idempotency-Key": "first" } },
    body: request,
  });
  check(whole.data?.state === "finished" && whole.data.verdict === "accepted", whole.error);
  const points: number = whole.data.max_score;
  check(points === 1 && whole.data.tests[0]?.stdout === "4\n", whole.data);
  check(whole.response.headers.get("Location") === `/v1/evaluations/${whole.data.id}`, "Location");

  const queued = await client.POST("/v1/evaluations", { body: request });
  check(queued.data, queued.error);
  const evaluation_id = queued.data.id;
  const stream = await client.GET("/v1/evaluations/{evaluation_id}/events", {
    params: { path: { evaluation_id } },
    parseAs: "stream",
  });
  let last: Event | undefined;
  for await (const event of events(stream.data)) last = event;
  check(last?.type === "evaluation.finished" && last.verdict === "accepted" && last.tests.length === 1, last);
  const rest = await client.GET("/v1/evaluations/{evaluation_id}/events", {
    params: { path: { evaluation_id }, query: { after: last.seq } },
    parseAs: "stream",
  });
  check(rest.response.status === 204, rest.response.status);

  const counting = await client.POST("/v1/evaluations", { body: { source: "count", tests: [{ id: "endless" }] } });
  check(counting.data, counting.error);
  const cancelled = await client.DELETE("/v1/evaluations/{evaluation_id}", {
    params: { path: { evaluation_id: counting.data.id } },
  });
  check(cancelled.data, cancelled.error);
  const page = await client.GET("/v1/evaluations", { params: { query: { limit: 2, state: ["finished"] } } });
  check(page.data && page.data.items.length <= 2, page.error);
  const cursor: string | null = page.data.next_cursor;
  check(cursor === null, cursor);

  const wrong = await client.POST("/v1/evaluations", { body: { ...request, tests: [{ id: "not an id" }] } });
  check(wrong.error?.code === "invalid_request" && wrong.error.field === "tests.0.id", wrong.error);
}

async function train(): Promise<void> {
  const started = await client.POST("/v1/trainings", {
    body: {
      env: "CartPole-v1",
      engine: "simulated",
      stop: { env_steps: 10_000 },
      checkpoint: { every_iterations: 2 },
    },
  });
  check(started.data, started.error);
  const training_id = started.data.id;
  const path = { training_id };
  const stream = await client.GET("/v1/trainings/{training_id}/events", { params: { path }, parseAs: "stream" });
  let iterations = 0;
  let steps = 0;
  for await (const event of events(stream.data)) {
    if (event.type === "training.iteration_completed") iterations = event.iteration;
    if (event.type === "training.succeeded") steps = event.progress.env_steps ?? 0;
  }
  check(iterations > 2 && steps >= 10_000, [iterations, steps]);
  const shown = await client.GET("/v1/trainings/{training_id}", { params: { path } });
  check(shown.data?.state === "succeeded" && shown.data.request.checkpoint.keep_last === 3, shown.data);
  const series = await client.GET("/v1/trainings/{training_id}/metrics", { params: { path } });
  check(series.data?.iteration.length === series.data?.metrics["rollout/episode_return_mean"]?.length, series.data);

  const listed = await client.GET("/v1/trainings/{training_id}/checkpoints", { params: { path } });
  const checkpoint_id = listed.data?.items.at(-1)?.id;
  check(checkpoint_id, listed.error);
  const archive = await client.GET("/v1/checkpoints/{checkpoint_id}/download", {
    params: { path: { checkpoint_id } },
    parseAs: "arrayBuffer",
  });
  check(archive.data && archive.data.byteLength > 1000, archive.response.status);
  const part = await client.GET("/v1/checkpoints/{checkpoint_id}/download", {
    params: { path: { checkpoint_id }, header: { Range: "bytes=0-9" } },
    parseAs: "arrayBuffer",
  });
  check(part.response.status === 206 && part.data?.byteLength === 10, part.response.status);

  const published = await client.POST("/v1/policies", { body: { training_id, which: "best" } });
  check(published.data, published.error);
  const policy_id = published.data.id;
  const acted = await client.POST("/v1/policies/{policy_id}/act", {
    params: { path: { policy_id } },
    body: { observations: [[0, 0, 0.1, 0]] },
  });
  check(acted.data?.actions[0] === 1, acted.error);
  for (const format of ["onnx", "tar"] as const) {
    const file = await client.GET("/v1/policies/{policy_id}/download", {
      params: { path: { policy_id }, query: { format } },
      parseAs: "blob",
    });
    check(file.data && file.data.size > 0, file.response.status);
  }
}

// what a socket and a receiver of webhooks do is type-checked alone: Node.js 18 and 20 have no WebSocket of their own

export function answer(message: ServerMessage | Event, stream: string): ClientMessage | number | undefined {
  switch (message.type) {
    case "authenticated":
      return { type: "subscribe", stream, types: ["training.succeeded"] };
    case "training.succeeded":
      return message.seq;
    case "reconnect":
      return { type: "subscribe", stream, after: message.cursors[stream] ?? 0 };
    case "error":
      throw new Error(`${message.code}: ${message.detail}`);
  }
  return undefined;
}

export function receive(message: Finished): string | null {
  return message.data.verdict;
}

await evaluate();
await train();
