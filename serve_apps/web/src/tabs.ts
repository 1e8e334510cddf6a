/**
 * Sharing a sign-in between the tabs of a browser, without writing the key to disk: a new tab asks the open ones over a
 * BroadcastChannel, which pages of the same origin alone can use. Where several answer, the tab that was used last wins:
 * a link opened in a new tab is opened by the user of the tab that it is in.
 */
export interface Channel {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
}

interface Answer {
  key: string;
  used: number;
}

/** How long a new tab waits for answers before it shows the sign-in form. */
export const WAIT_MS = 250;
/** How long it waits for better answers after the first one. */
const GATHER_MS = 60;

export class Tabs {
  /** When a person last did something in this tab, in milliseconds since 1970. */
  private used = 0;
  private answers: Answer[] | null = null;
  private settle: (() => void) | null = null;

  /**
   * @param held The key of this tab, if it is signed in.
   * @param onSignOut Another tab has signed out of `key`.
   */
  constructor(
    private readonly channel: Channel | null,
    private readonly held: () => string | null,
    private readonly onSignOut: (key: string) => void,
    private readonly now: () => number = Date.now,
  ) {
    if (channel) channel.onmessage = ({ data }) => this.hear(data);
  }

  touch(): void {
    this.used = this.now();
  }

  /** The key that another tab is signed in with; null where none is. */
  async ask(): Promise<string | null> {
    if (!this.channel) return null;
    const answers: Answer[] = [];
    this.answers = answers;
    this.channel.postMessage({ type: "ask" });
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, WAIT_MS);
      this.settle = () => {
        clearTimeout(late);
        setTimeout(resolve, GATHER_MS);
      };
    });
    this.answers = this.settle = null;
    return answers.sort((a, b) => b.used - a.used)[0]?.key ?? null;
  }

  /** Have the other tabs that are signed in with `key` sign out, too. */
  signOut(key: string): void {
    this.channel?.postMessage({ type: "sign-out", key });
  }

  private hear(message: unknown): void {
    const { type, key, used } = (message ?? {}) as { type?: unknown; key?: unknown; used?: unknown };
    if (type === "ask") {
      const own = this.held();
      if (own) this.channel?.postMessage({ type: "answer", key: own, used: this.used });
    } else if (type === "answer" && typeof key === "string" && typeof used === "number") {
      if (this.answers?.length === 0) this.settle?.();
      this.answers?.push({ key, used });
    } else if (type === "sign-out" && typeof key === "string" && key === this.held()) {
      this.onSignOut(key);
    }
  }
}
