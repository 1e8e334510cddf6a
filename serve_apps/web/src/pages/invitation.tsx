/** An invitation to a course: accept it, keep the key that comes of it, go on. */
import { useState } from "preact/hooks";
import { isInvitation } from "../link";
import { Heading } from "../parts/heading";
import { Alert } from "../parts/problem";
import { Problem } from "../problem";
import { acceptInvitation, invited, signIn } from "../session";
import type { InvitationAccepted } from "../types";

const BROKEN = new Problem(
  "not_authenticated",
  "Not an invitation",
  "The link is not complete: its end is missing or was changed. Open it again from the message, or ask your course staff.",
);

export function InvitationPage({ invitation }: { invitation: string }) {
  const [problem, setProblem] = useState<Problem | null>(isInvitation(invitation) ? null : BROKEN);
  const [busy, setBusy] = useState(false);
  const [accepted, setAccepted] = useState<InvitationAccepted | null>(null);
  if (accepted) return <NewKey accepted={accepted} />;
  const submit = (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    acceptInvitation(invitation)
      .then(setAccepted, (error) => setProblem(refusal(Problem.of(error))))
      .finally(() => setBusy(false));
  };
  return (
    <form class="card sign-in" onSubmit={submit}>
      <Heading title="You are invited" />
      <p class="lead">Accept the invitation to get an API key of your own, which signs you in.</p>
      <Alert problem={problem} />
      <p class="hint">The link works once. It is for you alone: do not pass it on.</p>
      <div class="form-end">
        <button type="button" class="quiet" onClick={leave}>
          Sign in with a key
        </button>
        <button type="submit" disabled={busy || !isInvitation(invitation)}>
          {busy ? "Accepting…" : "Accept invitation"}
        </button>
      </div>
    </form>
  );
}

/** The problem as people see it: who has a link has not tried to sign in. */
function refusal(problem: Problem): Problem {
  if (problem.status !== 401) return problem;
  return new Problem(problem.code, "The invitation cannot be accepted", problem.detail, problem.status);
}

const leave = () => {
  invited.value = null;
};

function NewKey({ accepted: { member, api_key: key } }: { accepted: InvitationAccepted }) {
  const [copied, setCopied] = useState("");
  const copy = () =>
    navigator.clipboard.writeText(key).then(
      () => setCopied("Copied."),
      () => setCopied("The browser does not let the page copy: select the key, and copy it."),
    );
  return (
    <div class="card sign-in">
      <Heading title={`Welcome${member.name ? `, ${member.name}` : ""}`} />
      <p>
        This is your API key. <strong>Keep it, for example in a password manager: it is shown only now.</strong> You
        sign in with it here, and with <code>rlp</code> in a terminal.
      </p>
      <p class="new-key mono">{key}</p>
      <div class="form-end">
        <span class="hint" role="status">
          {copied}
        </span>
        {"clipboard" in navigator && (
          <button type="button" class="quiet" onClick={copy}>
            Copy the key
          </button>
        )}
        <button type="button" onClick={() => signIn(key)}>
          I have kept it: sign in
        </button>
      </div>
    </div>
  );
}
