/** A comparison as a file: its numbers as CSV, its picture as SVG or PNG. */
import { useState } from "preact/hooks";
import { csvOf } from "../../compare/csv";
import { pngOf, svgOf } from "../../compare/picture";
import { Problem } from "../../problem";
import type { Comparison } from "../../types";
import { Alert } from "../problem";
import { save } from "../save";

interface Props {
  comparison: Comparison;
  picture: preact.RefObject<(() => SVGSVGElement) | null>;
}

export function Export({ comparison, picture }: Props) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const name = `comparison-${comparison.metric.replace(/[^A-Za-z0-9]+/g, "-")}`;
  const draw = async (make: (picture: SVGSVGElement) => Blob | Promise<Blob>, suffix: string) => {
    setProblem(null);
    try {
      if (picture.current) save(await make(picture.current()), `${name}.${suffix}`);
    } catch (error) {
      setProblem(Problem.of(error));
    }
  };
  return (
    <div class="controls">
      <div class="actions wrap">
        <button
          type="button"
          class="secondary"
          onClick={() => save(new Blob([csvOf(comparison)], { type: "text/csv" }), `${name}.csv`)}
        >
          Save as CSV
        </button>
        <button type="button" class="secondary" onClick={() => draw(svgOf, "svg")}>
          Save as SVG
        </button>
        <button type="button" class="secondary" onClick={() => draw(pngOf, "png")}>
          Save as PNG
        </button>
      </div>
      <Alert problem={problem} />
    </div>
  );
}
