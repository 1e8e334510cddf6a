/**
 * The code editor: CodeMirror in a shadow root, where its styles are constructed sheets, which the page's
 * Content-Security-Policy lets pass without any exception for inline styles.
 */
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  WidgetType,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Mark } from "../runs/traceback";

export interface EditorProps {
  /** The text. If it is replaced from outside, the editor shows the new one; undo brings the old one back. */
  value: string;
  label: string;
  /** Lines to mark, until the text is changed. */
  marks?: readonly Mark[];
  onChange: (value: string) => void;
  /** Ctrl or Command with Enter. */
  onSubmit: () => void;
}

export function CodeEditor({ value, label, marks = NO_MARKS, onChange, onSubmit }: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView | null>(null);
  const handlers = useRef({ onChange, onSubmit });
  handlers.current = { onChange, onSubmit };
  const initial = useRef({ value, label });
  useEffect(() => {
    if (!host.current) return;
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: "open" });
    const extensions = [
      lineNumbers(),
      highlightActiveLineGutter(),
      highlightActiveLine(),
      history(),
      drawSelection(),
      bracketMatching(),
      indentOnInput(),
      indentUnit.of("    "),
      python(),
      syntaxHighlighting(COLOURS),
      keymap.of([{ key: "Mod-Enter", run: submits(handlers) }, indentWithTab, ...defaultKeymap, ...historyKeymap]),
      EditorView.contentAttributes.of({ "aria-label": initial.current.label, tabindex: "0", translate: "no" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) handlers.current.onChange(update.state.doc.toString());
      }),
      EditorView.domEventHandlers({ beforeinput: typeOverSelection }),
      marked,
      LOOK,
    ];
    const state = EditorState.create({ doc: initial.current.value, extensions });
    const view = new EditorView({ state, parent: root, root });
    editor.current = view;
    return () => view.destroy();
  }, []);
  // before the browser paints, and so before the next key: what was typed meanwhile cannot be lost
  useLayoutEffect(() => replaceText(editor.current, value), [value]);
  useEffect(() => editor.current?.dispatch({ effects: mark.of(marks) }), [marks]);
  return <div class="editor" ref={host} />;
}

/** Put `text` in place of the editor's, unless it is what the editor has. */
function replaceText(view: EditorView | null, text: string): void {
  if (!view || view.state.doc.toString() === text) return;
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

const NO_MARKS: readonly Mark[] = [];
const mark = StateEffect.define<readonly Mark[]>();

/** Lines that failed, with the error behind them. A change of the text makes them untrue. */
const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(before, { docChanged, effects, state }) {
    const given = effects.findLast((effect) => effect.is(mark));
    if (given) {
      const found = (given.value as readonly Mark[]).filter(({ line }) => line >= 1 && line <= state.doc.lines);
      const decorations = found.flatMap(({ line, message }) => {
        const { from, to } = state.doc.line(line);
        const text = Decoration.widget({ widget: new ErrorText(message), side: 1 });
        return [Decoration.line({ class: "cm-failed" }).range(from), ...(message ? [text.range(to)] : [])];
      });
      return Decoration.set(decorations, true);
    }
    return docChanged ? Decoration.none : before;
  },
  provide: (field) => EditorView.decorations.from(field),
});

class ErrorText extends WidgetType {
  constructor(private readonly text: string) {
    super();
  }

  override eq(other: ErrorText): boolean {
    return other.text === this.text;
  }

  override toDOM(): HTMLElement {
    return Object.assign(document.createElement("span"), { className: "cm-failed-text", textContent: this.text });
  }
}

/**
 * Typing over a selection, done by the editor. Chromium would wrap the text in a styled element, to keep the colour of what
 * was selected, and the policy has no room for that.
 */
function typeOverSelection(event: InputEvent, view: EditorView): boolean {
  const typed = event.inputType === "insertText" && !view.composing ? event.data : null;
  if (!typed || view.state.selection.main.empty) return false;
  event.preventDefault();
  view.dispatch(
    view.state.update(view.state.replaceSelection(typed), { userEvent: "input.type", scrollIntoView: true }),
  );
  return true;
}

function submits(handlers: { current: Pick<EditorProps, "onSubmit"> }): () => boolean {
  return () => {
    handlers.current.onSubmit();
    return true;
  };
}

const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  {
    tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className)],
    color: "var(--code-name)",
  },
]);

const LOOK = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--sunken)", fontSize: "0.875rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { padding: "0.75rem 0", caretColor: "var(--accent)" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--muted)", border: "none", paddingLeft: "0.25rem" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--line-active)" },
  ".cm-failed, .cm-failed.cm-activeLine": { backgroundColor: "var(--bad-fill)", boxShadow: "inset 3px 0 var(--bad)" },
  ".cm-failed-text": { marginLeft: "2ch", color: "var(--bad)", fontStyle: "italic" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selection)",
  },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--selection)", outline: "none" },
});
