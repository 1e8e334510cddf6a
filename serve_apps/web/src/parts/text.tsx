/** Text as it is, under a title; long text scrolls, also by keyboard. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { count } from "../format";

interface Props {
  title: string;
  text: string;
  wide?: boolean;
  /** The text grows: its end stays in sight, unless one has scrolled away from it. */
  follow?: boolean;
}

const NEAR_PX = 8;
const MAX_CHARACTERS = 20_000;

export function TextBlock({ title, text, wide = false, follow = false }: Props) {
  const box = useRef<HTMLPreElement>(null);
  const height = useRef(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!follow || !element) return;
    const { scrollTop, clientHeight, scrollHeight } = element;
    if (height.current - scrollTop - clientHeight < NEAR_PX) element.scrollTop = scrollHeight;
    height.current = scrollHeight;
  }, [text, follow]);
  return (
    <div class={wide ? "output wide" : "output"}>
      <h3>{title}</h3>
      {/* biome-ignore lint/a11y: what scrolls must be reachable by keyboard, and is no landmark */}
      <pre ref={box} role="group" tabIndex={0} aria-label={title}>
        {(follow ? text : text.slice(0, MAX_CHARACTERS)) || <span class="hint">(nothing)</span>}
        {!follow && text.length > MAX_CHARACTERS && (
          <span class="hint">{`\n… ${count(text.length - MAX_CHARACTERS)} more characters`}</span>
        )}
      </pre>
    </div>
  );
}
