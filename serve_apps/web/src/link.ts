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
