/** A WebSocket that a test plays the server of. */
import type { Socket } from "../src/live/client";

export class FakeSocket implements Socket {
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];
  closed = false;

  send(text: string): void {
    if (this.closed) throw new Error("the socket is closed");
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.closed = true;
  }

  /** The server accepts the connection and the key. */
  accept(): this {
    this.onopen?.(new Event("open"));
    this.say({ type: "authenticated" });
    return this;
  }

  say(...messages: object[]): void {
    for (const message of messages) this.onmessage?.({ data: JSON.stringify(message) } as MessageEvent);
  }

  /** The connection is lost. */
  lose(): void {
    this.onclose?.({} as CloseEvent);
  }
}
