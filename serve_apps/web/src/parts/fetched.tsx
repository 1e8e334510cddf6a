/** A document of the API, and what is shown until it is there, or if it is not. */
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { Problem } from "../problem";
import { current } from "../session";
import { Alert } from "./problem";

export interface Fetched<T> {
  value: T | null;
  problem: Problem | null;
  /** Read it again; what is shown stays until then. */
  reload: () => Promise<void>;
}

/** Read `path`; with null, nothing. */
export function useFetched<T>(path: string | null): Fetched<T> {
  const { api } = current();
  const [found, setFound] = useState<{ path: string; value: T } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const load = useCallback(
    async (isCurrent: () => boolean = () => true) => {
      if (path === null) return;
      try {
        const value = await api.get<T>(path);
        if (!isCurrent()) return;
        setFound({ path, value });
        setProblem(null);
      } catch (error) {
        if (isCurrent()) setProblem(Problem.of(error));
      }
    },
    [api, path],
  );
  useEffect(() => {
    let left = false;
    setProblem(null);
    void load(() => !left);
    return () => {
      left = true;
    };
  }, [load]);
  const reload = useCallback(() => load(), [load]);
  return { value: found?.path === path ? found.value : null, problem, reload };
}

interface Props<T> {
  of: Fetched<T>;
  children: (value: T) => ComponentChildren;
}

export function Loaded<T>({ of: { value, problem, reload }, children }: Props<T>) {
  return (
    <>
      <Alert problem={problem} {...(problem?.status === 404 ? {} : { onRetry: () => void reload() })} />
      {value !== null ? children(value) : !problem && <p class="empty">Loading…</p>}
    </>
  );
}
