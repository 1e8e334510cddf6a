import { useState } from "preact/hooks";
import { count } from "../../format";
import { RosterForm } from "../../parts/course/roster-form";
import { Loaded, useFetched } from "../../parts/fetched";
import { Heading } from "../../parts/heading";
import { ShowMore } from "../../parts/show-more";
import { administers } from "../../session";
import type { Member, MemberList } from "../../types";

const FIRST = 50;
const MORE = 200;

/** Members of the course, and the import of its roster. */
export function PeoplePage() {
  const members = useFetched<MemberList>("v1/members");
  return (
    <>
      <div class="page-head">
        <div>
          <p class="crumb">
            <a href="#/assignments">Assignments</a>
          </p>
          <Heading title="People" />
        </div>
      </div>
      {administers.value && <RosterForm onDone={members.reload} />}
      <section class="card" aria-labelledby="members">
        <Loaded of={members}>{({ items }) => <Members items={items} />}</Loaded>
      </section>
    </>
  );
}

function Members({ items }: { items: readonly Member[] }) {
  const [search, setSearch] = useState("");
  const [most, setMost] = useState(FIRST);
  const wanted = search.trim().toLowerCase();
  const found = items.filter((one) =>
    [one.name, one.external_id, one.email, one.section].some((text) => text.toLowerCase().includes(wanted)),
  );
  const learners = items.filter(({ role, state }) => role === "learner" && state === "active").length;
  return (
    <>
      <header class="card-head">
        <h2 id="members">Members</h2>
        <span class="hint">
          {learners} {learners === 1 ? "learner" : "learners"}
        </span>
        {items.length > 0 && (
          <div class="filters">
            <input
              type="search"
              aria-label="Find a member"
              placeholder="Find a member"
              value={search}
              onInput={(event) => setSearch(event.currentTarget.value)}
            />
          </div>
        )}
      </header>
      {items.length === 0 ? (
        <p class="empty">The people of your course appear here once you import its roster.</p>
      ) : found.length === 0 ? (
        <p class="empty">No member is found.</p>
      ) : (
        <div class="scroll">
          <table class="runs" aria-labelledby="members">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">External id</th>
                <th scope="col">Email</th>
                <th scope="col">Section</th>
                <th scope="col">Role</th>
              </tr>
            </thead>
            <tbody>
              {found.slice(0, most).map((one) => (
                <tr key={one.id}>
                  <th scope="row">
                    {one.name || one.external_id} {one.state === "removed" && <span class="badge">removed</span>}
                  </th>
                  <td data-label="Id">{one.external_id}</td>
                  <td>{one.email}</td>
                  <td data-label="Section">{one.section || "–"}</td>
                  <td>{one.role}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <ShowMore shown={most} total={found.length} all={count(found.length)} onMore={() => setMost(most + MORE)} />
    </>
  );
}
