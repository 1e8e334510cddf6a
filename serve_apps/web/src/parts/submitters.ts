/** Names of submitters on the page: for staff, who see the runs of all. */
import { useEffect, useState } from "preact/hooks";
import { type Names, nameOf, readNames } from "../runs/submitters";
import { administers, current, isStaff, me } from "../session";

/** A function that names submitters. It returns null for everybody but staff: they see their own runs alone. */
export function useSubmitters(): { names: Names; name: (submitter: string | null) => string | null } {
  const { api } = current();
  const staff = isStaff.value;
  const keys = administers.value;
  const [names, setNames] = useState<Names>(new Map());
  useEffect(() => {
    if (staff) void readNames(api, keys).then(setNames);
  }, [api, staff, keys]);
  const own = me.value?.id ?? null;
  return { names, name: (submitter) => (staff && submitter ? nameOf(submitter, names, own) : null) };
}
