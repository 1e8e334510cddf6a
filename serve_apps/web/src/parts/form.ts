/** Sending a form: one request at a time, with an idempotency key that a repeated attempt uses again. */
import { useRef, useState } from "preact/hooks";
import { idempotencyKey } from "../api";
import { Problem } from "../problem";

export function useSubmit<T>(
  send: (key: string) => Promise<T>,
  done: (result: T) => void,
  refused: () => void = () => {},
) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const key = useRef<string | null>(null);
  const submit = async (event?: Event) => {
    event?.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    key.current ??= idempotencyKey();
    try {
      const result = await send(key.current);
      key.current = null;
      done(result);
    } catch (error) {
      const found = Problem.of(error);
      // what may have arrived is asked for again under the same key; what was refused has made nothing
      if (found.code !== "unreachable") key.current = null;
      refused();
      setProblem(found);
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, submit };
}
