/** Why a sign-in with an account of others failed, and what to do. */
import { Problem } from "./problem";

const WORDS = new Map([
  ["begin_again", "The sign-in took too long, or was begun in another window. Sign in again."],
  ["declined", "Your account's provider did not sign you in. Sign in again, or use a key."],
  ["unavailable", "Your account's provider does not answer. Try again in a moment."],
  ["not_valid", "What your account's provider sent is not valid. Try again; if it stays so, tell your course staff."],
  ["no_access", "Your account has no role here. Ask your course staff to give it one."],
  ["not_a_member", "Your account is not on the roster of the course. Ask your course staff to add you."],
  ["removed", "You were removed from the course. Ask your course staff."],
  ["not_registered", "The learning platform that sent you is not registered here. Tell your course staff."],
]);

/** The problem that a refused sign-in is shown as; an unknown reason is not repeated, because anybody can make a link. */
export function refusalOf(reason: string): Problem {
  return new Problem("not_authenticated", "Not signed in", WORDS.get(reason) ?? WORDS.get("declined") ?? "");
}
