import { useState } from "preact/hooks";
import { isInvitation } from "../link";
import { Heading } from "../parts/heading";
import { Alert, Field, FormProblem } from "../parts/problem";
import { Problem } from "../problem";
import { invited, provider, providerAddress, refused, signIn, whyNoKey } from "../session";
import { InvitationPage } from "./invitation";

export function SignInPage() {
  return invited.value === null ? <KeyForm /> : <InvitationPage invitation={invited.value} />;
}

function KeyForm() {
  const [text, setText] = useState("");
  const [tried, setTried] = useState<string | null>(null);
  const problem = tried
    ? new Problem("not_authenticated", "Not an API key", tried, 0, [{ field: "key", message: tried }])
    : refused.value;
  const submit = (event: Event) => {
    event.preventDefault();
    const given = text.trim();
    if (isInvitation(given)) {
      invited.value = given;
      return;
    }
    const why = whyNoKey(given);
    setTried(why);
    if (!why) signIn(given);
  };
  return (
    <FormProblem.Provider value={problem}>
      <form class="card sign-in" onSubmit={submit} noValidate>
        <Heading title="Sign in" />
        <p class="lead">Evaluate code in a sandbox, train policies, and watch both live.</p>
        {!tried && <Alert problem={problem} />}
        {provider.value && (
          <>
            <a class="button" href={providerAddress(provider.value)}>
              Sign in with {provider.value.name}
            </a>
            <p class="or">or with a key</p>
          </>
        )}
        <Field
          name="key"
          label="API key"
          hint="Kept in this browser's open tabs only: gone when you close them or sign out."
        >
          {(control) => (
            <input
              {...control}
              type="password"
              autocomplete="off"
              spellcheck={false}
              placeholder="rlp_…"
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
        <button type="submit" class={provider.value ? "secondary" : undefined}>
          Sign in{provider.value && " with a key"}
        </button>
        <p class="hint">
          Your course staff gives you a key, or a link that makes one. On your own machine <code>make run</code> prints
          one, with a link that signs you in.
        </p>
      </form>
    </FormProblem.Provider>
  );
}
