/** Light or dark: as the system has it, unless someone chose in this browser. */
import { computed, effect, signal } from "@preact/signals";

const STORED = "rlp-theme";
const asked = window.matchMedia("(prefers-color-scheme: dark)");
const system = signal(asked.matches);
const chosen = signal<string | null>(localStorage.getItem(STORED));

export const scheme = computed<"light" | "dark">(() =>
  chosen.value === "light" || chosen.value === "dark" ? chosen.value : system.value ? "dark" : "light",
);

export function follow(): void {
  asked.addEventListener("change", () => {
    system.value = asked.matches;
  });
  effect(() => {
    document.documentElement.dataset.scheme = scheme.value;
  });
}

/** The other one. Choosing what the system has is the same as not choosing. */
export function toggle(): void {
  const next = scheme.value === "dark" ? "light" : "dark";
  chosen.value = (next === "dark") === system.value ? null : next;
  if (chosen.value) localStorage.setItem(STORED, chosen.value);
  else localStorage.removeItem(STORED);
}
