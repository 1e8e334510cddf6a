/** A page's heading: its text is the document's title, and it takes the focus when people come from another page. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

let arrived = false;

export function Heading({ title, children }: { title: string; children?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · rlplatform`;
  }, [title]);
  useEffect(() => {
    if (arrived) heading.current?.focus();
    arrived = true;
  }, []);
  return (
    <h1 tabIndex={-1} ref={heading}>
      {children ?? title}
    </h1>
  );
}
