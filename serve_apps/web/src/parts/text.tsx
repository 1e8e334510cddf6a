/** Text as it is, under a title; long text scrolls, also by keyboard. */

interface Props {
  title: string;
  text: string;
  wide?: boolean;
}

export function TextBlock({ title, text, wide = false }: Props) {
  return (
    <div class={wide ? "output wide" : "output"}>
      <h3>{title}</h3>
      {/* biome-ignore lint/a11y: what scrolls must be reachable by keyboard, and is no landmark */}
      <pre role="group" tabIndex={0} aria-label={title}>
        {text || <span class="hint">(nothing)</span>}
      </pre>
    </div>
  );
}
