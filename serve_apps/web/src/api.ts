/** HTTP calls with the bearer key or the session cookie, if there is one. Every failure is a `Problem`. */
import { Problem } from "./problem";
import type { FileInfo } from "./types";

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** Stands for the session cookie in the place of a key. */
export const SESSION = "session";

export class Api {
  /** @param key An API key, `SESSION`, or null for nobody. */
  constructor(
    private readonly base: string,
    private readonly key: string | null,
    private readonly onRefused: (problem: Problem) => void = () => {},
    private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init),
  ) {}

  async get<T>(path: string): Promise<T> {
    return (await this.call("GET", path)).json() as Promise<T>;
  }

  /** `idempotencyKey`: sent again with the same body, it gives the same resource, not a second one. */
  async post<T>(path: string, body?: unknown, idempotencyKey?: string): Promise<T> {
    const headers: Record<string, string> = idempotencyKey ? { "Idempotency-Key": idempotencyKey } : {};
    return (await this.call("POST", path, body, headers)).json() as Promise<T>;
  }

  /** Upload a file under its name. */
  async upload(file: File): Promise<FileInfo> {
    const path = `v1/files?name=${encodeURIComponent(file.name)}`;
    return (await this.call("POST", path, file)).json() as Promise<FileInfo>;
  }

  async delete<T>(path: string): Promise<T> {
    return (await this.call("DELETE", path)).json() as Promise<T>;
  }

  async put<T>(path: string, body: unknown): Promise<T> {
    return (await this.call("PUT", path, body)).json() as Promise<T>;
  }

  async patch<T>(path: string, body: unknown): Promise<T> {
    return (await this.call("PATCH", path, body)).json() as Promise<T>;
  }

  /** Delete what the platform answers nothing about. */
  async remove(path: string): Promise<void> {
    await this.call("DELETE", path);
  }

  /** The file at `path`, whole. */
  async download(path: string): Promise<Blob> {
    return (await this.call("GET", path)).blob();
  }

  /** Open the event stream at `path`, behind event `after`. */
  events(path: string, after: number, signal: AbortSignal): Promise<Response> {
    return this.call("GET", path, undefined, { "Last-Event-ID": String(after) }, signal);
  }

  private async call(
    method: string,
    path: string,
    body?: unknown,
    more: Record<string, string> = {},
    signal: AbortSignal | null = null,
  ) {
    const headers: Record<string, string> = { ...more };
    const session = this.key === SESSION;
    if (session) headers["RLP-Session"] = "1";
    else if (this.key !== null) headers.Authorization = `Bearer ${this.key}`;
    const credentials = session ? "same-origin" : "omit";
    const init: RequestInit = { method, headers, cache: "no-store", credentials, signal };
    if (body instanceof Blob) {
      headers["Content-Type"] = body.type || "application/octet-stream";
      init.body = body;
    } else if (body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    let response: Response;
    try {
      response = await this.fetch(this.base + path, init);
    } catch {
      throw Problem.unreachable();
    }
    if (response.ok) return response;
    const problem = Problem.from(await response.json().catch(() => null), response.status);
    if (response.status === 401) this.onRefused(problem);
    throw problem;
  }
}

/** A key for one creating request: 128 random bits. Works on plain HTTP, too, where `crypto.randomUUID` does not. */
export function idempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
