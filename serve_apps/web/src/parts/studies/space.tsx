/** The search space being set: a row for each hyperparameter that is searched. */
import { newSearched, type SearchedDraft } from "../../drafts/study";
import { HYPERPARAMETERS } from "../../drafts/training";
import { Field, GroupError } from "../problem";

interface Props {
  rows: SearchedDraft[];
  change: (rows: SearchedDraft[]) => void;
}

export function Space({ rows, change }: Props) {
  const set = (index: number, changes: Partial<SearchedDraft>) =>
    change(rows.map((row, at) => (at === index ? { ...row, ...changes } : row)));
  return (
    <fieldset class="pad hyperparameters">
      <legend class="visually-hidden">Search space</legend>
      <datalist id="searched-names">
        {HYPERPARAMETERS.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {rows.map((row, index) => (
        <Row
          key={row.key}
          row={row}
          set={(changes) => set(index, changes)}
          remove={() => change(rows.filter((_, at) => at !== index))}
        />
      ))}
      <button
        type="button"
        class="secondary"
        onClick={() => change([...rows, newSearched(Math.max(0, ...rows.map(({ key }) => key)) + 1)])}
      >
        Search another hyperparameter
      </button>
      <GroupError name="space" />
    </fieldset>
  );
}

interface RowProps {
  row: SearchedDraft;
  set: (changes: Partial<SearchedDraft>) => void;
  remove: () => void;
}

function Row({ row, set, remove }: RowProps) {
  const path = `space.${row.name.trim()}`;
  const number = (name: "low" | "high" | "step", label: string, placeholder = "") => (
    <Field name={`${path}.${name}`} label={label} class="number-field">
      {(control) => (
        <input
          {...control}
          class="mono"
          inputMode="decimal"
          placeholder={placeholder}
          value={row[name]}
          onInput={(event) => set({ [name]: event.currentTarget.value })}
        />
      )}
    </Field>
  );
  return (
    <div class="row searched">
      <Field name={path} label="Hyperparameter">
        {(control) => (
          <input
            {...control}
            class="mono"
            list="searched-names"
            autocomplete="off"
            spellcheck={false}
            value={row.name}
            onInput={(event) => set({ name: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field name={`${path}.kind`} label="Values" class="kind">
        {(control) => (
          <select
            {...control}
            value={`${row.kind}${row.log ? " log" : ""}`}
            onChange={(event) => {
              const [kind, log] = event.currentTarget.value.split(" ");
              set({ kind: kind as SearchedDraft["kind"], log: log !== undefined, ...(log && { step: "" }) });
            }}
          >
            <option value="float">Numbers</option>
            <option value="float log">Numbers, logarithmic</option>
            <option value="int">Whole numbers</option>
            <option value="int log">Whole, logarithmic</option>
            <option value="categorical">One of a list</option>
          </select>
        )}
      </Field>
      {row.kind === "categorical" ? (
        <Field
          name={`${path}.choices`}
          label="Choices"
          hint="With commas between: 64, 128 or [64, 64], [256, 256]"
          deep
        >
          {(control) => (
            <input
              {...control}
              class="mono"
              value={row.choices}
              onInput={(event) => set({ choices: event.currentTarget.value })}
            />
          )}
        </Field>
      ) : (
        <>
          {number("low", "Least")}
          {number("high", "Greatest")}
          {!row.log && number("step", "Step", row.kind === "int" ? "1" : "any")}
        </>
      )}
      <button type="button" class="quiet" aria-label={`Remove ${row.name || "this hyperparameter"}`} onClick={remove}>
        Remove
      </button>
    </div>
  );
}
