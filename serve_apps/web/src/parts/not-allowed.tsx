/** A page that the signed-in key may not use. */
import type { ComponentChildren } from "preact";
import { Heading } from "./heading";

interface Props {
  /** Heading of the page. */
  title: string;
  /** What the key cannot do, after "Your API key cannot". */
  what: string;
  scope: string;
  /** Where to go instead. */
  children: ComponentChildren;
}

export function NotAllowed({ title, what, scope, children }: Props) {
  return (
    <>
      <Heading title={title} />
      <p>
        Your API key cannot {what}: it lacks the scope <code>{scope}</code>. Ask your course staff for a key that has
        it. {children}
      </p>
    </>
  );
}
