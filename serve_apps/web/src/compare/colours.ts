/** Colours of the groups of a comparison: written out, since an exported picture has no style sheet. */
import type { ComparedGroup } from "../types";

const LIGHT = ["#3b5bdb", "#d9480f", "#2b8a3e", "#9c36b5", "#0b7285", "#c2255c", "#846200", "#495057"];
const DARK = ["#91a7ff", "#ffa94d", "#69db7c", "#e599f7", "#66d9e8", "#faa2c1", "#ffe066", "#ced4da"];
const DASHES = ["", "6 4", "2 3", "9 3 2 3"];

export interface Style {
  colour: string;
  /** Dashes of the line; empty: it is solid. */
  dashes: string;
}

/** Style of the group at `index`: after the last colour they begin again with other dashes. */
export function styleOf(index: number, dark: boolean): Style {
  const colours = dark ? DARK : LIGHT;
  return {
    colour: colours[index % colours.length] ?? "#868e9f",
    dashes: DASHES[Math.floor(index / colours.length) % DASHES.length] ?? "",
  };
}

export const inks = (dark: boolean) =>
  dark
    ? { text: "#a0a7b8", grid: "#262b36", page: "#191c24", strong: "#e6e8ee" }
    : { text: "#5a6172", grid: "#e9ebf1", page: "#ffffff", strong: "#1b1f2a" };

/** What tells a group from others, whatever the metric that orders them. */
export const groupKey = ({ runs }: ComparedGroup): string => runs[0]?.id ?? "";

/** For each group its number of a style, which stays the same when another metric orders the groups anew. */
export function numbered(groups: readonly ComparedGroup[]): number[] {
  const keys = groups.map(groupKey).sort();
  return groups.map((group) => keys.indexOf(groupKey(group)));
}

/** The groups in their order, each with its key and the number of its style. */
export function numberedGroups(groups: readonly ComparedGroup[]) {
  const numbers = numbered(groups);
  return groups.map((group, index) => ({ key: groupKey(group), number: numbers[index] ?? 0, group }));
}
