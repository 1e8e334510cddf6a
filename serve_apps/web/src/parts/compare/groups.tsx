/** The groups of a comparison as a table: their last values, and their runs. */
import { numberedGroups } from "../../compare/colours";
import { titleOf } from "../../compare/drawn";
import { measure, shortId } from "../../format";
import type { ComparedGroup } from "../../types";
import { Key } from "./key";

interface Props {
  groups: ComparedGroup[];
  hidden: ReadonlySet<string>;
  setHidden: (hidden: ReadonlySet<string>) => void;
}

export function Groups({ groups, hidden, setHidden }: Props) {
  const toggle = (key: string) => {
    const next = new Set(hidden);
    if (!next.delete(key)) next.add(key);
    setHidden(next);
  };
  return (
    <section class="card" aria-labelledby="groups">
      <header class="card-head">
        <h2 id="groups">Groups</h2>
        <span class="hint">trainings that differ in their seed alone; best last value first</span>
      </header>
      <div class="scroll">
        <table class="runs" aria-labelledby="groups">
          <thead>
            <tr>
              {["Group", "Last value", "Last policy evaluation", "Runs"].map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {numberedGroups(groups).map(({ key, number, group: { title, final, evaluation, runs } }) => (
              <tr key={key}>
                <th scope="row">
                  <label class="check">
                    <input type="checkbox" checked={!hidden.has(key)} onChange={() => toggle(key)} />
                    <Key index={number} /> {titleOf(title)}
                  </label>
                </th>
                <td class="number" data-label="Last value">
                  <Interval of={final} />
                </td>
                <td class="number" data-label="Last policy evaluation">
                  <Interval of={evaluation} />
                </td>
                <td class="compared-runs">
                  {runs.map(({ id, name, seed, state }) => (
                    <a key={id} href={`#/trainings/${id}`} title={`${name ?? shortId(id)}, ${state}`}>
                      seed {seed}
                    </a>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Interval({ of }: { of: ComparedGroup["final"] }) {
  if (!of) return <>–</>;
  return (
    <>
      {measure(of.iqm)}{" "}
      <span class="hint">
        {of.runs > 1 ? `[${measure(of.low)}, ${measure(of.high)}] of ${of.runs} runs` : "one run"}
      </span>
    </>
  );
}
