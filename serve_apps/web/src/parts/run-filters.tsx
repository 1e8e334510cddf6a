/** What a list of runs shows: words, a label, a state, an order. */
import { useEffect, useRef, useState } from "preact/hooks";
import { queryOf, type RunList } from "../runs/list";
import type { Names } from "../runs/submitters";
import type { Evaluation, Training } from "../types";

const TYPING_MS = 300;

const ORDERS = {
  "-created_at": "Newest first",
  created_at: "Oldest first",
  "-finished_at": "Last finished first",
  name: "By name",
  env: "By environment",
  state: "By state",
  "-score": "Best score first",
  "-env_steps": "Most env steps first",
} as const;

export type Order = keyof typeof ORDERS;

interface Props<T extends Evaluation | Training> {
  /** What is listed, for the names of the controls. */
  title: string;
  list: RunList<T>;
  states: readonly string[];
  orders: readonly Order[];
  submitters: Names;
}

export function RunFilters<T extends Evaluation | Training>({ title, list, states, orders, submitters }: Props<T>) {
  const typing = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const [search, setSearch] = useState("");
  const [label, setLabel] = useState("");
  useEffect(() => () => clearTimeout(typing.current), []);
  const filter = list.filter.value;
  const found = queryOf(filter);
  found.delete("sort");
  return (
    <search class="filters" aria-label={`Find ${title.toLowerCase()}`}>
      <input
        type="search"
        aria-label={`Search ${title.toLowerCase()}`}
        placeholder="Search"
        maxLength={200}
        value={search}
        onInput={({ currentTarget: { value } }) => {
          setSearch(value);
          clearTimeout(typing.current);
          typing.current = setTimeout(() => list.find({ search: value }), TYPING_MS);
        }}
      />
      <input
        aria-label={`Label of ${title.toLowerCase()}`}
        placeholder="Label: key=value"
        value={label}
        onInput={({ currentTarget: { value } }) => setLabel(value)}
        onChange={({ currentTarget: { value } }) => list.find({ label: value })}
      />
      <select
        aria-label={`State of ${title.toLowerCase()}`}
        value={filter.state}
        onChange={({ currentTarget: { value } }) => list.find({ state: value })}
      >
        <option value="">Any state</option>
        {states.map((state) => (
          <option key={state}>{state}</option>
        ))}
      </select>
      {submitters.size > 0 && (
        <select
          aria-label={`Submitter of ${title.toLowerCase()}`}
          value={filter.submitter}
          onChange={({ currentTarget: { value } }) => list.find({ submitter: value })}
        >
          <option value="">By anybody</option>
          <option value="me">By you</option>
          {[...submitters].map(([id, name]) => (
            <option key={id} value={id}>
              By {name}
            </option>
          ))}
        </select>
      )}
      <select
        aria-label={`Order of ${title.toLowerCase()}`}
        value={filter.sort}
        onChange={({ currentTarget: { value } }) => list.find({ sort: value })}
      >
        {orders.map((order) => (
          <option key={order} value={order}>
            {ORDERS[order]}
          </option>
        ))}
      </select>
      {title === "Trainings" && found.size > 0 && <a href={`#/compare?${found}`}>Compare all found</a>}
    </search>
  );
}
