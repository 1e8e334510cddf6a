/** The line that a group is drawn with, beside its name. */
import { styleOf } from "../../compare/colours";
import { scheme } from "../../theme";

export function Key({ index }: { index: number }) {
  const { colour, dashes } = styleOf(index, scheme.value === "dark");
  return (
    <svg width="22" height="10" aria-hidden="true">
      <line x2="22" y1="5" y2="5" stroke={colour} stroke-width="2.5" {...(dashes && { "stroke-dasharray": dashes })} />
    </svg>
  );
}
