/** Hyperparameters being set, a row for each. */
import { HYPERPARAMETERS } from "../drafts/training";
import { Field } from "./problem";

interface Hyperparameter {
  key: number;
  name: string;
  value: string;
}

interface Props {
  draft: { hyperparameters: Hyperparameter[] };
  change: (changes: { hyperparameters: Hyperparameter[] }) => void;
  /** Path of the hyperparameters in the request. */
  path?: string;
}

export function Hyperparameters({ draft: { hyperparameters: rows }, change, path = "hyperparameters" }: Props) {
  const set = (index: number, changes: object) =>
    change({ hyperparameters: rows.map((row, at) => (at === index ? { ...row, ...changes } : row)) });
  return (
    <fieldset class="pad hyperparameters">
      <legend>Hyperparameters</legend>
      <p class="hint">
        Use the names of Stable-Baselines3. <code>lin_0.001</code> falls linearly to 0.
      </p>
      <datalist id="hyperparameter-names">
        {HYPERPARAMETERS.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {rows.map((row, index) => (
        <div class="row" key={row.key}>
          <Field name={`${path}.${row.name.trim()}`} label="Name">
            {(control) => (
              <input
                {...control}
                class="mono"
                list="hyperparameter-names"
                value={row.name}
                onInput={(event) => set(index, { name: event.currentTarget.value })}
              />
            )}
          </Field>
          <Field name="" label="Value">
            {({ id }) => (
              <input
                id={id}
                class="mono"
                value={row.value}
                onInput={(event) => set(index, { value: event.currentTarget.value })}
              />
            )}
          </Field>
          <button
            type="button"
            class="quiet"
            aria-label={`Remove ${row.name || "this hyperparameter"}`}
            onClick={() => change({ hyperparameters: rows.filter((_, at) => at !== index) })}
          >
            Remove
          </button>
        </div>
      ))}
      <button
        type="button"
        class="secondary"
        onClick={() => {
          const key = Math.max(0, ...rows.map((row) => row.key)) + 1;
          change({ hyperparameters: [...rows, { key, name: "", value: "" }] });
        }}
      >
        Set a hyperparameter
      </button>
    </fieldset>
  );
}
