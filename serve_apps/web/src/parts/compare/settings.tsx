/** The settings of a comparison's groups as a table: those that differ, or all. */
import { useState } from "preact/hooks";
import { numberedGroups } from "../../compare/colours";
import { titleOf } from "../../compare/drawn";
import type { ComparedGroup, ComparedSetting, JsonValue } from "../../types";
import { Key } from "./key";

export function Settings({ groups, settings }: { groups: ComparedGroup[]; settings: ComparedSetting[] }) {
  const differing = settings.filter(({ differs }) => differs);
  const [all, setAll] = useState(differing.length === 0);
  const shown = all ? settings : differing;
  const named = numberedGroups(groups);
  return (
    <section class="card" aria-labelledby="settings">
      <header class="card-head">
        <h2 id="settings">Settings</h2>
        <span class="hint">
          <b class="given">Bold</b>: set by the request, over preset and default. <mark class="differs">Marked</mark>:
          not the same in all groups.
        </span>
        <label class="check small">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
          Equal ones, too
        </label>
      </header>
      {shown.length === 0 ? (
        <p class="empty">All settings are equal.</p>
      ) : (
        <div class="scroll">
          <table class="runs compared-settings" aria-labelledby="settings">
            <thead>
              <tr>
                <th scope="col">Setting</th>
                {named.map(({ key, number, group: { title } }) => (
                  <th scope="col" key={key}>
                    <Key index={number} /> {titleOf(title)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.map(({ name, values, given, differs }) => (
                <tr key={name} class={differs ? "differs" : ""}>
                  <th scope="row" class="mono">
                    {name}
                  </th>
                  {named.map(({ key, group: { title } }, index) => (
                    <td key={key} class="mono" data-label={titleOf(title)}>
                      {given[index] ? <b class="given">{text(values[index])}</b> : text(values[index])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

const text = (value: JsonValue | undefined): string =>
  value == null ? "–" : typeof value === "string" ? value : JSON.stringify(value);
