/** Whether events arrive. */
import { useEffect, useState } from "preact/hooks";
import { current } from "../session";

export function Connection() {
  const { live } = current();
  const status = live.status.value;
  const wait = useSecondsUntil(live.retryAt.value);
  useEffect(() => {
    const hurry = () => document.hidden || live.hurry();
    window.addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurry);
    return () => {
      window.removeEventListener("online", hurry);
      document.removeEventListener("visibilitychange", hurry);
    };
  }, [live]);
  const text = status === "live" ? "Live" : status === "waiting" ? `Offline, retry in ${wait} s` : "Connecting…";
  return (
    <>
      <span class={`connection ${status}`} title="The connection that events come over">
        {text}
      </span>
      {status === "waiting" && (
        <button type="button" class="quiet" onClick={() => live.hurry()}>
          Connect
        </button>
      )}
      <span class="visually-hidden" role="status">
        {status === "waiting" ? "The connection is lost" : status === "live" ? "Connected" : ""}
      </span>
    </>
  );
}

function useSecondsUntil(moment: number | null): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (moment === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [moment]);
  return moment === null ? 0 : Math.max(0, Math.ceil((moment - now) / 1000));
}
