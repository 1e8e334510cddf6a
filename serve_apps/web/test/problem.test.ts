import { describe, expect, it } from "vitest";
import { Api } from "../src/api";
import { Problem } from "../src/problem";

const answer = (status: number, body: string, type = "application/problem+json") =>
  new Response(body, { status, headers: { "Content-Type": type } });

describe("Problem", () => {
  const document = {
    code: "invalid_request",
    title: "Invalid request",
    detail: "stop.env_steps: Input should be greater than or equal to 1 (and 1 more)",
    field: "stop.env_steps",
    errors: [
      { field: "stop.env_steps", message: "Input should be greater than or equal to 1" },
      { field: "tests.0.args.1", message: "is not JSON" },
    ],
  };

  it("is found at the field that it names, and within a field", () => {
    const problem = Problem.from(document, 422);
    expect(problem.at("stop.env_steps")).toBe("Input should be greater than or equal to 1");
    expect(problem.at("stop")).toBeNull();
    expect(problem.at("tests.0.args")).toBeNull();
    expect(problem.at("tests.0.args", true)).toBe("1: is not JSON");
    expect(problem.at("tests.0.arg", true)).toBeNull();
  });

  it("says once what no field shows", () => {
    const problem = Problem.from(document, 422);
    expect(problem.besides(new Set()).map(({ field }) => field)).toEqual(["stop.env_steps", "tests.0.args.1"]);
    expect(problem.besides(new Set(["stop.env_steps"])).map(({ field }) => field)).toEqual(["tests.0.args.1"]);
    expect(problem.besides(new Set(["stop.env_steps", "tests.0.args.1"]))).toEqual([]);
    const plain = Problem.from({ detail: "the queue is full" }, 429);
    expect(plain.besides(new Set())).toEqual([{ field: "", message: "the queue is full" }]);
  });

  it("has its only field from the document itself where no list is given", () => {
    const problem = Problem.from({ detail: "env: unknown environment", field: "env" }, 422);
    expect(problem.at("env")).toBe("unknown environment");
  });

  it.each(["", "<html>Bad gateway</html>", "[1]", "null"])("is one, too, where the body is %j", async (body) => {
    const api = new Api("http://rlp.test/", "key", undefined, async () => answer(502, body, "text/html"));
    await expect(api.get("v1/trainings")).rejects.toMatchObject({ name: "Problem", status: 502, code: "unknown" });
  });

  it("says that the platform cannot be reached", async () => {
    const api = new Api("http://rlp.test/", "key", undefined, () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(api.get("v1/trainings")).rejects.toMatchObject({ code: "unreachable", retryable: true });
  });

  it("signs out on 401 alone", async () => {
    const refused: number[] = [];
    for (const status of [401, 403, 500]) {
      const fetch = async () => answer(status, "{}");
      const api = new Api("http://rlp.test/", "key", (problem) => refused.push(problem.status), fetch);
      await expect(api.get("v1/trainings")).rejects.toBeInstanceOf(Problem);
    }
    expect(refused).toEqual([401]);
  });
});
