/** The code editor, loaded when it is first shown: it is most of the page's code. */
import { useEffect, useState } from "preact/hooks";
import type { CodeEditor, EditorProps } from "./editor";

export function LazyEditor(props: EditorProps) {
  const [Editor, setEditor] = useState<typeof CodeEditor | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    import("./editor").then(
      (loaded) => setEditor(() => loaded.CodeEditor),
      () => setFailed(true),
    );
  }, []);
  if (Editor) return <Editor {...props} />;
  return failed ? (
    <textarea
      class="editor mono"
      aria-label={props.label}
      value={props.value}
      onInput={(event) => props.onChange(event.currentTarget.value)}
    />
  ) : (
    <div class="editor" />
  );
}
