/** What a link to the page gives it, behind `#`: servers and their logs never see it. */
export interface Given {
  key?: string;
  invitation?: string;
  /** The browser comes from signing in elsewhere, with a session cookie. */
  session?: boolean;
  /** The browser comes from signing in elsewhere, and was refused for this reason. */
  refused?: string;
}

/**
 * What the fragment of the address gives: `#key=…`, `#invite=…`, `#signed-in=1` or `#refused=…`, wiped from the address
 * bar and the history entry as it is read. What follows `&` is kept as the route.
 */
export function takeGiven(location: Location, history: History): Given {
  const match = /^#(key|invite|signed-in|refused)=([^&]*)(?:&(.*))?$/.exec(location.hash);
  if (!match) return {};
  history.replaceState(null, "", `${location.pathname}${location.search}#${match[3] ?? "/"}`);
  const text = match[2] ?? "";
  if (match[1] === "signed-in") return { session: true };
  if (match[1] === "refused") return { refused: text };
  return match[1] === "key" ? { key: text } : { invitation: text };
}

const INVITATION = /^rli_[A-Za-z0-9_-]{43}$/;

/** True if `text` has the form of an invitation. */
export function isInvitation(text: string): boolean {
  return INVITATION.test(text);
}

/**
 * True if the key `given` by a link is to be used: nobody is signed in, or whoever is says yes. A link that somebody
 * else made must not put a user into that person's account unnoticed: what they type from then on would be there.
 */
export function accepts(own: string | null, given: string, confirm: (question: string) => boolean): boolean {
  if (own === null) return true;
  if (own === given) return false;
  return confirm(
    `This link signs you in with another API key (${given.slice(0, 12)}…). Use it instead of yours? ` +
      "Cancel, unless you made the link yourself.",
  );
}
