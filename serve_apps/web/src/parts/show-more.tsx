/** The button below a list of which only the first are shown. */
interface Props {
  shown: number;
  /** What there is in all, as "120 trials". */
  all: string;
  total: number;
  onMore: () => void;
}

export function ShowMore({ shown, all, total, onMore }: Props) {
  if (total <= shown) return null;
  return (
    <p class="pad">
      <button type="button" class="secondary" onClick={onMore}>
        Show more of {all}
      </button>
    </p>
  );
}
