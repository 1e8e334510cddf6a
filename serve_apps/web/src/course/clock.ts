/** The time, for what counts down on the page. */
import { useEffect, useState } from "preact/hooks";

/** The present time in milliseconds since 1970, renewed every `periodMs`. */
export function useNow(periodMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), periodMs);
    return () => clearInterval(timer);
  }, [periodMs]);
  return now;
}
