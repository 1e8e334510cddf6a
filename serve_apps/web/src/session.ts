/**
 * Who is signed in: an API key, held in the sessionStorage of the open tabs and nowhere else; or a session, which the
 * browser holds in a cookie that no script reads.
 */
import { batch, computed, signal } from "@preact/signals";
import { Api, SESSION } from "./api";
import { accepts, type Given, takeGiven } from "./link";
import { LiveClient } from "./live/client";
import { Problem } from "./problem";
import { refusalOf } from "./refusals";
import { Tabs } from "./tabs";
import type { CourseSettings, InvitationAccepted, SessionInfo, SignInProvider, Ticket, WhoAmI } from "./types";

const STORED = "rlp-key";
const FORM = /^rlp_[0-9a-z]{26}_[A-Za-z0-9_-]{43}$/;

const base = new URL("./", document.baseURI);
/** The key of whoever is signed in, or `SESSION`. */
const key = signal<string | null>(null);

export const refused = signal<Problem | null>(null);
export const signedIn = computed(() => key.value !== null);
/** The invitation of a link, until it is accepted or left aside. */
export const invited = signal<string | null>(null);
/** Provider whose accounts can sign in; null: none, or not known yet. */
export const provider = signal<SignInProvider | null>(null);
/** True while this tab asks the others for the key, and the platform for a session. */
export const asking = signal(false);

/** Who the key stands for; null until the platform has said so. */
export const me = signal<WhoAmI | null>(null);

/** True if the key has `scope`, or as long as that is not known. */
export function may(scope: "evaluate" | "train"): boolean {
  return me.value === null || me.value.scopes.includes(scope) || me.value.scopes.includes("admin");
}

/** Settings of the course; null until they are known. */
const course = signal<CourseSettings | null>(null);
/** True if programs of one's own can be evaluated: learners of some courses only submit to assignments. */
export const evaluatesFreely = computed(
  () => may("evaluate") && (isStaff.value || (course.value?.learners_evaluate_freely ?? true)),
);

/** True for course staff, who see the work of all; false as long as it is not known. */
export const isStaff = computed(() => has("read") || has("admin"));
/** True for those of the staff who also change grades, dates and people. */
export const administers = computed(() => has("admin"));

/** Page that is shown first: learners of a course come for its assignments. Null until it is known who is signed in. */
export const home = computed(() => {
  if (!identified.value) return null;
  return me.value === null || isStaff.value || has("train") ? "runs" : "assignments";
});
/** True once the platform has said who the key stands for, or has not. */
const identified = signal(false);

const has = (scope: string): boolean => me.value?.scopes.some((given) => given === scope) ?? false;

const tabs = new Tabs(
  "BroadcastChannel" in globalThis ? new BroadcastChannel("rlp-session") : null,
  () => key.value,
  () => leave(),
);

interface Session {
  api: Api;
  live: LiveClient;
}
const session = signal<Session | null>(null);

/** The API and the live connection of whoever is signed in. */
export function current(): Session {
  if (!session.value) throw new Error("nobody is signed in");
  return session.value;
}

/** Take a key or an invitation from the address; else this or another tab's key, or the browser's session. */
export function begin(): void {
  const given = takeGiven(window.location, window.history);
  const own = sessionStorage.getItem(STORED);
  if (own) open(own);
  if (!own && Object.keys(given).length === 0) askAround();
  else take(given);
  for (const event of ["pointerdown", "keydown", "focus"]) window.addEventListener(event, () => tabs.touch());
  window.addEventListener("hashchange", () => take(takeGiven(window.location, window.history)));
}

/** Use what a link gives; a user of this or another tab who is signed in otherwise is asked first. */
async function take({ key: given, invitation, session: fresh, refused: reason }: Given): Promise<void> {
  if (fresh) return use(SESSION);
  if (reason !== undefined) {
    await askAround();
    if (!key.value) refused.value = refusalOf(reason);
    return;
  }
  if (given === undefined && invitation === undefined) return;
  if (!key.value) await askAround();
  if (invitation !== undefined) {
    if (key.value && !window.confirm(REPLACE)) return;
    if (key.value) signOut();
    invited.value = invitation;
  } else if (given !== undefined) {
    if (key.value && whyNoKey(given)) return;
    if (accepts(key.value, given, (question) => window.confirm(question))) signIn(given);
  }
}

const REPLACE = "This link invites you to a course, and you are signed in already. Sign out, and open the invitation?";

/** Accept an invitation: it is used up, and the key that comes back is shown this once. */
export function acceptInvitation(text: string): Promise<InvitationAccepted> {
  return new Api(base.href, null).post("v1/invitations:accept", { invitation: text });
}

/** Use the key of the tab that was used last, else the browser's session. */
async function askAround(): Promise<void> {
  asking.value = true;
  const [found, info] = await Promise.all([tabs.ask(), askSession()]);
  asking.value = false;
  if (key.value || refused.value) return;
  if (found !== null && whyNoKey(found) === null) use(found);
  else if (info?.principal) use(SESSION);
}

/** Learn who can sign in, and whether somebody has. */
async function askSession(): Promise<SessionInfo | null> {
  try {
    const info = await new Api(base.href, SESSION).get<SessionInfo>("v1/session");
    provider.value = info.provider;
    return info;
  } catch {
    return null; // then there is the key
  }
}

/** Address that signs in with an account of the provider, and comes back to the route that is open. */
export function providerAddress({ path }: SignInProvider): string {
  const to = window.location.hash.replace(/^#/, "") || "/";
  return new URL(`${path}?to=${encodeURIComponent(to)}`, base).href;
}

/** Why `text` cannot be an API key; null where it can be one. */
export function whyNoKey(text: string): string | null {
  if (!text) return "Paste your API key, or your invitation.";
  return FORM.test(text) ? null : "This is not an API key: one looks like rlp_…_…, without spaces.";
}

export function signIn(text: string): void {
  refused.value = null;
  invited.value = null;
  const why = whyNoKey(text);
  if (why) {
    open(null);
    refused.value = new Problem("not_authenticated", "Not an API key", why);
    return;
  }
  use(text);
}

/** Use a key or the session from now on, also after a reload. */
function use(text: string): void {
  refused.value = null;
  invited.value = null;
  sessionStorage.setItem(STORED, text);
  open(text);
}

/** Sign out, in every tab that has the same key: somebody else may sit down at this machine. */
export function signOut(): void {
  if (key.value) tabs.signOut(key.value);
  if (key.value === SESSION) void current().api.remove("v1/session").catch(ignore);
  leave();
}

/** A session that cannot be ended has ended already, or will expire. */
const ignore = () => {};

function leave(): void {
  sessionStorage.clear();
  refused.value = null;
  open(null);
  if (provider.value === null) void askSession();
}

function open(text: string | null): void {
  session.value?.live.close();
  me.value = null;
  course.value = null;
  identified.value = false;
  if (text) {
    const live = new URL("v1/live", base);
    live.protocol = live.protocol === "https:" ? "wss:" : "ws:";
    const api = new Api(base.href, text, refuse);
    const token = text === SESSION ? () => ticket(api) : text;
    session.value = { api, live: new LiveClient(() => new WebSocket(live), token, refuse) };
  } else {
    session.value = null;
  }
  key.value = text;
  if (session.value) void identify(session.value.api, text);
}

/** Find out who the key stands for, and how the course is set. What stays unknown hides nothing: the platform refuses. */
async function identify(api: Api, text: string | null): Promise<void> {
  const unknown = () => null;
  const [who, settings] = await Promise.all([
    api.get<WhoAmI>("v1/whoami").catch(unknown),
    api.get<CourseSettings>("v1/course").catch(unknown),
  ]);
  if (key.value !== text) return;
  batch(() => {
    me.value = who;
    course.value = settings;
    identified.value = true;
  });
}

/** A ticket for the live connection, which sends no cookie. */
const ticket = async (api: Api): Promise<string> => (await api.post<Ticket>("v1/tickets", {})).ticket;

function refuse(problem: Problem): void {
  sessionStorage.removeItem(STORED);
  open(null);
  refused.value = problem;
  if (provider.value === null) void askSession();
}
