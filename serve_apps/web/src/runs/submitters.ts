/** People behind the ids of those who submitted runs, for staff, who see the runs of all. */
import type { Api } from "../api";
import { shortId } from "../format";
import type { KeyList, MemberList } from "../types";

/** Names by id: of the members of the course and of the API keys, without those that the signed-in key may not read. */
export type Names = ReadonlyMap<string, string>;

/** Read the names; those that cannot be read are left out. */
export async function readNames(api: Pick<Api, "get">, keys: boolean): Promise<Names> {
  const [members, made] = await Promise.all([
    api.get<MemberList>("v1/members").catch(() => null),
    keys ? api.get<KeyList>("v1/keys").catch(() => null) : null,
  ]);
  return new Map([
    ...(made?.items ?? []).map(({ id, owner, name }) => [owner ?? id, name] as const),
    ...(members?.items ?? []).map(({ id, name, external_id }) => [id, name || external_id] as const),
  ]);
}

/** The submitter as people call it: `you`, a name, or the end of an id. */
export const nameOf = (submitter: string, names: Names, own: string | null): string =>
  submitter === own ? "you" : (names.get(submitter) ?? shortId(submitter));
