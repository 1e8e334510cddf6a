/** A formula, drawn as MathML; its source until it is drawn, and if it cannot be. */
import { useEffect, useRef, useState } from "preact/hooks";
import { type FormulaToken, OPTIONS } from "../../course/formulas";

export function Formula({ tex, display }: Pick<FormulaToken, "tex" | "display">) {
  const place = useRef<HTMLSpanElement>(null);
  const [drawn, setDrawn] = useState(false);
  const [why, setWhy] = useState<string>();
  useEffect(() => {
    let left = false;
    import("katex")
      .then(({ default: katex }) => {
        if (left || !place.current) return;
        katex.render(tex, place.current, { ...OPTIONS, displayMode: display });
        setDrawn(true);
      })
      .catch((error: unknown) => {
        if (!left) setWhy(String(error));
      });
    return () => {
      left = true;
    };
  }, [tex, display]);
  const drawing = <span ref={place} hidden={!drawn} />;
  const source = !drawn && <code title={why}>{tex}</code>;
  return display ? (
    // biome-ignore lint/a11y: what scrolls must be reachable by keyboard, and is no landmark
    <span class="formula display" role="group" tabIndex={0} aria-label="Formula">
      {drawing}
      {source}
    </span>
  ) : (
    <span class="formula">
      {drawing}
      {source}
    </span>
  );
}
