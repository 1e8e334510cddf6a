/** A labelled text field of a draft. */
import { Field } from "./problem";

/** The fields of a draft that are text. */
export type TextName<Draft> = {
  [Name in keyof Draft]: Draft[Name] extends string ? Name : never;
}[keyof Draft] &
  string;

interface Props<Draft> {
  draft: Draft;
  change: (changes: Partial<Draft>) => void;
  name: TextName<Draft>;
  /** Path in the request, by which the API's errors find the field. */
  path: string;
  label: string;
  hint?: string | undefined;
  placeholder?: string | undefined;
  text?: boolean;
}

export function TextField<Draft>({ draft, change, name, path, label, hint, placeholder, text }: Props<Draft>) {
  return (
    <Field name={path} label={label} hint={hint}>
      {(control) => (
        <input
          {...control}
          inputMode={text ? "text" : "decimal"}
          placeholder={placeholder ?? ""}
          value={draft[name] as string}
          onInput={(event) => change({ [name]: event.currentTarget.value } as Partial<Draft>)}
        />
      )}
    </Field>
  );
}
