/** The tests that this tab sent with its evaluations: shown beside the results, which do not repeat them. */
import type { EvaluationRequest, TestCase } from "../types";

const KEPT = 20;
const requests = new Map<string, EvaluationRequest>();

export function remember(id: string, request: EvaluationRequest): void {
  requests.set(id, request);
  if (requests.size > KEPT) requests.delete(requests.keys().next().value ?? "");
}

export function testCase(evaluation: string, test: string): TestCase | undefined {
  return requests.get(evaluation)?.tests.find(({ id }) => id === test);
}
