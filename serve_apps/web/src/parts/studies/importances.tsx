/** How much each searched hyperparameter matters for the return: a bar each, the most important first. */
import type { Study } from "../../types";

export function Importances({ study: { importances, request } }: { study: Study }) {
  const entries = Object.entries(importances).sort(([, a], [, b]) => b - a);
  return (
    <section class="card" aria-labelledby="importances">
      <header class="card-head">
        <h2 id="importances">Parameter importance</h2>
        <span class="hint">share in what tells good trials from others (PED-ANOVA)</span>
      </header>
      {entries.length === 0 ? (
        <p class="empty">
          {Object.keys(request.space).length === 0
            ? "This study searches no hyperparameter: it compares seeds."
            : "Importances appear once four trials have completed."}
        </p>
      ) : (
        <ul class="importances pad">
          {entries.map(([name, share]) => (
            <li key={name}>
              <span class="mono">{name}</span>
              <progress max={1} value={share} aria-label={`Importance of ${name}`} />
              <span class="number">{Math.round(share * 100)} %</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
