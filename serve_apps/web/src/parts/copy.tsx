/** A button that copies text, and says so. */
import { useEffect, useRef, useState } from "preact/hooks";

const SAID_MS = 2_500;

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState<"Copied" | "Not copied" | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    setSaid((await copied(text)) ? "Copied" : "Not copied");
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setSaid(null), SAID_MS);
  };
  return (
    <>
      <button type="button" class="secondary" onClick={copy}>
        {said ?? label}
      </button>
      <span class="visually-hidden" role="status">
        {said}
      </span>
    </>
  );
}

/** Copy `text`; true if that worked. Without HTTPS browsers have the older way alone. */
async function copied(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // not allowed, or the page is not in front: the older way may be
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
