/** A document that is read again every few seconds, as long as it can change and the page is in sight. */
import { useEffect, useState } from "preact/hooks";
import { Problem } from "../problem";
import { current } from "../session";

/** @param path Null: nothing is read. @param changes False: this is how the document stays. */
export function usePolled<T>(path: string | null, every_ms: number, changes: (found: T) => boolean = () => true) {
  const { api } = current();
  const [found, setFound] = useState<T | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (path === null) return;
    let left = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      try {
        const answer = await api.get<T>(path);
        if (left) return;
        setFound(answer);
        setProblem(null);
        if (changes(answer)) wait();
      } catch (error) {
        if (left) return;
        const failure = Problem.of(error);
        setProblem(failure);
        if (failure.retryable) wait();
      }
    };
    const wait = () => {
      timer = setTimeout(() => (document.hidden ? wait() : look()), every_ms);
    };
    look();
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [api, path, attempt]);
  return { found, problem, again: () => setAttempt(attempt + 1) };
}
