/** The import of a roster: a CSV file is read and shown before anybody is added. */
import { useState } from "preact/hooks";
import { Problem } from "../../problem";
import { current } from "../../session";
import type { Roster, RosterFile, RosterResult } from "../../types";
import { FileChooser } from "../file-chooser";
import { useSubmit } from "../form";
import { Alert, Field, FormProblem } from "../problem";
import { RosterImported } from "./roster-imported";

type Credentials = NonNullable<Roster["credentials"]>;

const CREDENTIALS: [value: Credentials, label: string][] = [
  ["invitations", "An invitation link, which makes the key"],
  ["keys", "An API key"],
  ["none", "Nothing: they sign in with the identity provider, or have keys"],
];

/** Rows that one request may have. */
const AT_ONCE = 1000;
const SHOWN = 5;

export function RosterForm({ onDone }: { onDone: () => Promise<void> }) {
  const { api } = current();
  const [file, setFile] = useState<{ name: string; roster: RosterFile } | null>(null);
  const [unread, setUnread] = useState<Problem | null>(null);
  const [credentials, setCredentials] = useState<Credentials>("invitations");
  const [result, setResult] = useState<RosterResult | null>(null);
  const { busy, problem, submit } = useSubmit(
    async () => {
      if (!file) throw new Problem("invalid_request", "Not imported yet", "Choose a CSV file.");
      const results: RosterResult["results"] = [];
      try {
        for (let at = 0; at < file.roster.members.length; at += AT_ONCE) {
          const members = file.roster.members.slice(at, at + AT_ONCE);
          results.push(...(await api.post<RosterResult>("v1/members:import", { members, credentials })).results);
        }
      } catch (error) {
        // credentials are shown once: those of the people who were added stay in sight
        if (results.length > 0) setResult({ results });
        throw error;
      }
      return { results };
    },
    (done) => {
      setResult(done);
      setFile(null);
      void onDone();
    },
  );
  const read = async (chosen: File | undefined) => {
    if (!chosen) return;
    setResult(null);
    setFile(null);
    setUnread(null);
    try {
      setFile({ name: chosen.name, roster: await api.post<RosterFile>("v1/members:read", chosen) });
    } catch (error) {
      setUnread(Problem.of(error));
    }
  };
  return (
    <FormProblem.Provider value={problem}>
      <form class="card" onSubmit={submit} noValidate aria-labelledby="import">
        <header class="card-head">
          <h2 id="import">Import a roster</h2>
        </header>
        {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the button is the first */}
        <div
          class="pad roster"
          onDragOver={(event) => event.preventDefault()}
          onDrop={(event) => {
            event.preventDefault();
            void read(event.dataTransfer?.files[0]);
          }}
        >
          <p class="hint">
            A CSV file with the column <code>external_id</code> (for example the student number) and, if you have them,{" "}
            <code>name</code>, <code>email</code>, <code>section</code>, <code>role</code>; or the list of people that
            Canvas, Moodle or Gradescope exports. People are known by their <code>external_id</code>: the same file
            again changes nothing, and nobody is removed.
          </p>
          <div class="row">
            <div class="field">
              <span class="field-label">Roster</span>
              <div class="actions">
                <FileChooser
                  text="Choose a CSV file"
                  label="Roster, a CSV file"
                  accept=".csv,.tsv,.txt,text/csv"
                  multiple={false}
                  onChoose={([chosen]) => void read(chosen)}
                />
                <span class="hint" role="status">
                  {file ? said(file) : "or drop it here"}
                </span>
              </div>
            </div>
            <Field name="credentials" label="New people get">
              {(control) => (
                <select
                  {...control}
                  value={credentials}
                  onChange={(event) => setCredentials(event.currentTarget.value as Credentials)}
                >
                  {CREDENTIALS.map(([value, label]) => (
                    <option key={value} value={value}>
                      {label}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            <button type="submit" disabled={busy || file === null}>
              {busy ? "Importing…" : "Import"}
            </button>
          </div>
          {file && <Preview roster={file.roster} />}
          <Alert problem={unread ?? problem} />
        </div>
        {result && <RosterImported result={result} />}
      </form>
    </FormProblem.Provider>
  );
}

function said({ name, roster: { members } }: { name: string; roster: RosterFile }): string {
  return `${name}: ${members.length} ${members.length === 1 ? "person" : "people"}`;
}

function Preview({ roster: { members, unused } }: { roster: RosterFile }) {
  return (
    <div class="preview">
      {unused.length > 0 && <p class="hint">Not used: {unused.join(", ")}.</p>}
      {members.length > 0 && (
        <p class="hint">
          {members
            .slice(0, SHOWN)
            .map(({ external_id, name }) => (name ? `${name} (${external_id})` : external_id))
            .join(", ")}
          {members.length > SHOWN && ` and ${members.length - SHOWN} more`}
        </p>
      )}
    </div>
  );
}
