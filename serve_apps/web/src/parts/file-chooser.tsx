/** A button that opens the browser's dialogue to choose files. */
import { useRef } from "preact/hooks";

interface Props {
  /** Text of the button. */
  text: string;
  /** Name of the files, for screen readers. */
  label: string;
  onChoose: (files: File[]) => void;
  class?: string;
  /** Types of files that the dialogue offers. */
  accept?: string;
  /** False: one file. */
  multiple?: boolean;
  disabled?: boolean;
}

export function FileChooser({ text, label, onChoose, class: style = "secondary", accept, multiple, disabled }: Props) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" class={style} disabled={disabled} onClick={() => input.current?.click()}>
        {text}
      </button>
      <input
        ref={input}
        type="file"
        accept={accept}
        multiple={multiple ?? true}
        hidden
        aria-label={label}
        onChange={(event) => {
          onChoose([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = ""; // the same file can be chosen again
        }}
      />
    </>
  );
}
