/** A run's feed, from its document on; what is shown until there is one. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Api } from "../api";
import type { LiveClient } from "../live/client";
import { Problem } from "../problem";
import { current } from "../session";
import { Heading } from "./heading";
import { Alert } from "./problem";

interface Closeable {
  close(): void;
}

interface Props<T, F extends Closeable> {
  path: string;
  make: (live: LiveClient, document: T) => F;
  children: (feed: F, api: Api) => JSX.Element;
}

export function Load<T, F extends Closeable>({ path, make, children }: Props<T, F>) {
  const { api, live } = current();
  const [feed, setFeed] = useState<F | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let opened: F | null = null;
    let left = false;
    setProblem(null);
    api.get<T>(path).then(
      (document) => {
        if (left) return;
        opened = make(live, document);
        setFeed(opened);
      },
      (error) => left || setProblem(Problem.of(error)),
    );
    return () => {
      left = true;
      opened?.close();
      setFeed(null);
    };
  }, [api, live, path, attempt]);
  if (problem) {
    return (
      <>
        <Heading title={problem.status === 404 ? "Not found" : "Not loaded"} />
        {problem.status === 404 ? (
          <>
            <Alert problem={problem} />
            <p>
              <a href="#/runs">All runs</a>
            </p>
          </>
        ) : (
          <Alert problem={problem} onRetry={() => setAttempt(attempt + 1)} />
        )}
      </>
    );
  }
  return feed ? children(feed, api) : <p class="empty">Loading…</p>;
}
