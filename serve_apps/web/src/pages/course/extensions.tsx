import { useRef, useState } from "preact/hooks";
import { local } from "../../course/dates";
import { draftOf, type ExtensionDraft, extensionOf, NO_EXTENSION, named } from "../../course/extension";
import { Loaded, useFetched } from "../../parts/fetched";
import { useSubmit } from "../../parts/form";
import { Alert, Field, FormProblem } from "../../parts/problem";
import { type FieldError, Problem } from "../../problem";
import { administers, current } from "../../session";
import type { AssignmentView, ExtensionOutput, Member, MemberList } from "../../types";
import type { SectionProps } from "./assignment";

/** Later dates and further attempts of single members: which there are, and a form for them. */
export function ExtensionsPage({ assignment, reload }: SectionProps) {
  const members = useFetched<MemberList>("v1/members");
  return (
    <Loaded of={members}>
      {({ items }) => <Extensions assignment={assignment} members={items} reload={reload} />}
    </Loaded>
  );
}

interface Props {
  assignment: AssignmentView;
  members: readonly Member[];
  reload: () => Promise<void>;
}

const pathOf = (name: string, member: string): string =>
  `v1/assignments/${encodeURIComponent(name)}/extensions/${encodeURIComponent(member)}`;

function Extensions({ assignment, members, reload }: Props) {
  const { api } = current();
  const [draft, setDraft] = useState<ExtensionDraft>(NO_EXTENSION);
  const taking = useRef("");
  const removal = useSubmit(
    () => api.delete(pathOf(assignment.name, taking.current)),
    () => void reload(),
  );
  const extensions = assignment.staff?.extensions ?? {};
  const rows = members.filter(({ id }) => extensions[id]);
  const takeBack = (member: Member) => {
    if (!window.confirm(`Take the extension of ${named(member)} back? The dates of all hold again.`)) return;
    taking.current = member.id;
    void removal.submit();
  };
  return (
    <>
      <section class="card" aria-labelledby="extensions">
        <header class="card-head">
          <h2 id="extensions">Extensions</h2>
        </header>
        <Alert problem={removal.problem} />
        {rows.length === 0 ? (
          <p class="empty">Members with later dates or further attempts appear here.</p>
        ) : (
          <div class="scroll">
            <table class="runs" aria-labelledby="extensions">
              <thead>
                <tr>
                  <th scope="col">Member</th>
                  <th scope="col">Due</th>
                  <th scope="col">Closes</th>
                  <th scope="col">Further attempts</th>
                  <th scope="col">Reason</th>
                  {administers.value && <th scope="col">Change</th>}
                </tr>
              </thead>
              <tbody>
                {rows.map((member) => (
                  <Row
                    key={member.id}
                    member={member}
                    extension={extensions[member.id] as ExtensionOutput}
                    onChange={(extension) => setDraft(draftOf(member.id, extension))}
                    onTakeBack={() => takeBack(member)}
                  />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      {administers.value ? (
        <Form assignment={assignment} members={members} reload={reload} draft={draft} onDraft={setDraft} />
      ) : (
        <p class="hint">An administrator of the course gives extensions.</p>
      )}
    </>
  );
}

interface RowProps {
  member: Member;
  extension: ExtensionOutput;
  onChange: (extension: ExtensionOutput) => void;
  onTakeBack: () => void;
}

function Row({ member, extension, onChange, onTakeBack }: RowProps) {
  const { due_at, closes_at, extra_attempts, reason } = extension;
  return (
    <tr>
      <th scope="row">{named(member)}</th>
      <td>{due_at ? local(due_at) : "–"}</td>
      <td>{closes_at ? local(closes_at) : "–"}</td>
      <td>{extra_attempts || "–"}</td>
      <td>{reason ?? "–"}</td>
      {administers.value && (
        <td>
          <button type="button" class="quiet" onClick={() => onChange(extension)}>
            Change<span class="visually-hidden"> the extension of {named(member)}</span>
          </button>
          <button type="button" class="quiet" onClick={onTakeBack}>
            Take back<span class="visually-hidden"> the extension of {named(member)}</span>
          </button>
        </td>
      )}
    </tr>
  );
}

interface FormProps extends Props {
  draft: ExtensionDraft;
  onDraft: (draft: ExtensionDraft) => void;
}

function Form({ assignment, members, reload, draft, onDraft }: FormProps) {
  const { api } = current();
  const [given, setGiven] = useState("");
  const change = (changes: Partial<ExtensionDraft>) => onDraft({ ...draft, ...changes });
  const { busy, problem, submit } = useSubmit(
    async () => {
      const errors: FieldError[] = [];
      const request = extensionOf(draft, errors);
      if (errors.length > 0) throw new Problem("invalid_request", "Not saved yet", errors[0]?.message ?? "", 0, errors);
      return api.put<Member>(pathOf(assignment.name, draft.member), request);
    },
    (member) => {
      setGiven(`${named(member)} has the extension.`);
      onDraft(NO_EXTENSION);
      void reload();
    },
  );
  const { due_at, closes_at, attempts } = assignment;
  const most = attempts.maximum === null ? "no limit" : `${attempts.maximum} at most`;
  return (
    <FormProblem.Provider value={problem}>
      <section class="card" aria-labelledby="give">
        <header class="card-head">
          <h2 id="give">Give an extension</h2>
        </header>
        <form class="pad adjust" onSubmit={submit} noValidate>
          <Field name="member" label="Member" hint="It replaces an earlier extension.">
            {(control) => (
              <select
                {...control}
                value={draft.member}
                onChange={(event) => change({ member: event.currentTarget.value })}
              >
                <option value="">Choose a member</option>
                {members
                  .filter(({ state, id }) => state === "active" || id === draft.member)
                  .map((member) => (
                    <option key={member.id} value={member.id}>
                      {named(member)}
                    </option>
                  ))}
              </select>
            )}
          </Field>
          <div class="row">
            <Field name="due_at" label="Due" hint={`In your time zone. For all: ${due_at ? local(due_at) : "never"}.`}>
              {(control) => (
                <input
                  {...control}
                  type="datetime-local"
                  value={draft.due}
                  onInput={(event) => change({ due: event.currentTarget.value })}
                />
              )}
            </Field>
            <Field name="closes_at" label="Closes" hint={`For all: ${closes_at ? local(closes_at) : "never"}.`}>
              {(control) => (
                <input
                  {...control}
                  type="datetime-local"
                  value={draft.closes}
                  onInput={(event) => change({ closes: event.currentTarget.value })}
                />
              )}
            </Field>
            <Field name="extra_attempts" label="Further attempts" class="narrow-field" hint={`For all: ${most}.`}>
              {(control) => (
                <input
                  {...control}
                  inputMode="numeric"
                  value={draft.attempts}
                  onInput={(event) => change({ attempts: event.currentTarget.value })}
                />
              )}
            </Field>
          </div>
          <Field name="reason" label="Reason" hint="Only staff see it.">
            {(control) => (
              <input
                {...control}
                value={draft.reason}
                onInput={(event) => change({ reason: event.currentTarget.value })}
              />
            )}
          </Field>
          <Alert problem={problem} still />
          <div class="actions">
            <button type="submit" class="secondary" disabled={busy}>
              {busy ? "Saving…" : "Give the extension"}
            </button>
            <span class="hint" role="status">
              {given}
            </span>
          </div>
        </form>
      </section>
    </FormProblem.Provider>
  );
}
