/** The event log of a run, newest first. */
import { dateTime, time } from "../format";
import type { Entry } from "../runs/journal";

const SHOWN = 200;

export function Journal({ entries }: { entries: readonly Entry[] }) {
  const shown = entries.slice(-SHOWN).reverse();
  return (
    <section class="card" aria-labelledby="journal">
      <header class="card-head">
        <h2 id="journal">Events</h2>
        <span class="hint">
          {entries.at(-1)?.seq ?? 0} {entries.at(-1)?.seq === 1 ? "event" : "events"}
        </span>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <ol class="journal" reversed tabIndex={0} aria-label="Events, newest first">
        {shown.map((entry) => (
          <li key={entry.first}>
            <time dateTime={entry.time} title={dateTime(entry.time)}>
              {time(entry.time)}
            </time>
            <span>{entry.text}</span>
            <span class="seq" title="Sequence number">
              {entry.seq}
            </span>
          </li>
        ))}
      </ol>
      {entries.length > SHOWN && <p class="hint pad">Only the newest {SHOWN} entries are shown.</p>}
    </section>
  );
}
