/** The files of a program: tabs to choose one, and a place to drop more. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { type Attached, attach, MAIN, without } from "../drafts/attached";
import { Problem } from "../problem";
import { current } from "../session";
import { FileChooser } from "./file-chooser";
import { Alert } from "./problem";

interface Props {
  draft: Attached;
  selected: string;
  onSelect: (path: string) => void;
  onChange: (changes: Partial<Attached>) => void;
  children: ComponentChildren;
}

export function FileTabs({ draft, selected, onSelect, onChange, children }: Props) {
  const { api } = current();
  const [over, setOver] = useState(false);
  const [sending, setSending] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const add = async (dropped: readonly File[]) => {
    if (dropped.length === 0 || sending !== null) return;
    setProblem(null);
    setSending(dropped.map(({ name }) => name).join(", "));
    try {
      onChange(await attach(draft, dropped, (file) => api.upload(file)));
    } catch (error) {
      setProblem(Problem.of(error));
    } finally {
      setSending(null);
    }
  };
  const remove = (path: string) => {
    onChange(without(draft, path));
    onSelect(MAIN);
  };
  const main = draft.archive?.name ?? MAIN;
  const paths = [...draft.files, ...draft.data].map(({ path }) => path);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the button is the first
    <div
      class={over ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void add([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <div class="file-tabs">
        <div class="file-list" role="tablist" aria-label="Files of the program">
          {[MAIN, ...paths].map((path) => (
            <button
              key={path}
              type="button"
              role="tab"
              class="quiet"
              aria-selected={path === selected}
              onClick={() => onSelect(path)}
            >
              {path === MAIN ? main : path}
            </button>
          ))}
        </div>
        {(selected !== MAIN || draft.archive) && (
          <button
            type="button"
            class="quiet"
            onClick={() => (selected === MAIN ? onChange({ archive: null }) : remove(selected))}
          >
            Remove {selected === MAIN ? main : selected}
          </button>
        )}
        <FileChooser
          text={sending === null ? "Add files" : "Uploading…"}
          label="Files to add"
          class="secondary push"
          disabled={sending !== null}
          onChoose={(files) => void add(files)}
        />
      </div>
      <Alert problem={problem} />
      {children}
      <p class="hint pad" role="status">
        {sending === null
          ? "Drop files here: text, data of any size, or a ZIP archive of the whole program."
          : `Uploading ${sending}…`}
      </p>
    </div>
  );
}
