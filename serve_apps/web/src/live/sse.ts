/**
 * One event stream over HTTP (server-sent events), for streams whose name the page does not know. It is read with `fetch`,
 * which, unlike `EventSource`, sends the key in a header. After a lost connection it continues behind the last event.
 */
import type { RunEvent } from "../events";
import { Problem } from "../problem";

/** Open the stream behind event `after`. */
export type Open = (after: number, signal: AbortSignal) => Promise<Response>;

export interface Reader {
  onEvent(event: RunEvent): void;
  /** The stream has ended, or there is none any more. */
  onEnd(): void;
  onError(problem: Problem): void;
}

const RETRY_MS = 400;
const MAX_RETRY_MS = 10_000;
const NO_CONTENT = 204;
/** How often a stream that does not exist yet is asked for. */
const PATIENCE = 6;

export class EventReader {
  private readonly abort = new AbortController();
  private cursor = 0;
  private failures = 0;

  constructor(
    private readonly open: Open,
    private readonly reader: Reader,
    private readonly sleep: (ms: number) => Promise<void> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  ) {
    void this.run();
  }

  close(): void {
    this.abort.abort();
  }

  private get closed(): boolean {
    return this.abort.signal.aborted;
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      const before = this.cursor;
      try {
        const response = await this.open(this.cursor, this.abort.signal);
        if (response.status === NO_CONTENT) {
          if (!this.closed) this.reader.onEnd();
          return;
        }
        await this.read(response);
      } catch (error) {
        if (this.closed) return;
        const problem = Problem.of(error);
        if (problem.status === 401 || problem.status === 403) {
          this.reader.onError(problem);
          return;
        }
        // 404 at first: the run is not queued yet; 422: another run has taken its place
        if (problem.status === 422 || (problem.status === 404 && this.failures >= PATIENCE)) {
          this.reader.onEnd();
          return;
        }
      }
      this.failures = this.cursor > before ? 0 : this.failures + 1;
      if (this.failures > 0) await this.sleep(Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** (this.failures - 1)));
    }
  }

  private async read(response: Response): Promise<void> {
    const body = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (!body) return;
    let rest = "";
    while (true) {
      const { done, value } = await body.read();
      if (done) return;
      const blocks = `${rest}${value}`.replaceAll("\r\n", "\n").split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) this.take(block);
    }
  }

  private take(block: string): void {
    const lines = block.split("\n");
    if (this.closed || lines.some((line) => line.startsWith("event:"))) return; // `reconnect`: the server closes next
    const data = lines.flatMap((line) => (line.startsWith("data:") ? [line.slice(5).replace(/^ /, "")] : []));
    if (data.length === 0) return; // a heartbeat
    const event = JSON.parse(data.join("\n")) as RunEvent;
    if (event.seq <= this.cursor) return;
    this.cursor = event.seq;
    this.reader.onEvent(event);
  }
}
