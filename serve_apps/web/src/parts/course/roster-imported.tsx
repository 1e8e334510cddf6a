/** What came of a roster. Keys and invitations are shown this once, so they are offered as a file. */
import { credentialsCsv, invitationLink } from "../../course/credentials";
import type { RosterResult } from "../../types";
import { save } from "../save";

export function RosterImported({ result: { results } }: { result: RosterResult }) {
  const base = new URL("./", document.baseURI).href;
  const fresh = results.filter(({ created }) => created);
  const given = results.flatMap(({ member, api_key, invitation }) => {
    const text = api_key ?? (invitation && invitationLink(invitation, base));
    return text ? [{ member, given: text }] : [];
  });
  const links = results.some(({ invitation }) => invitation !== null);
  const what = links ? "invitation links" : "API keys";
  return (
    <div class="card-foot imported" role="status">
      <p>
        <strong>
          {fresh.length} added, {results.length - fresh.length} known already.
        </strong>{" "}
        {given.length > 0 && `The ${what} are shown this once: save them now, and send each to its person.`}
      </p>
      {given.length > 0 && (
        <button
          type="button"
          class="push"
          onClick={() =>
            save(
              new Blob([credentialsCsv(given, links ? "invitation_link" : "api_key")], { type: "text/csv" }),
              links ? "invitations.csv" : "keys.csv",
            )
          }
        >
          Save the {what}
        </button>
      )}
    </div>
  );
}
