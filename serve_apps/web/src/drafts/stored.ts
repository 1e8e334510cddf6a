/** What is being written in a form, kept in this tab until it is closed or signed out. */
import { useEffect, useState } from "preact/hooks";

export function useDraft<T extends object>(name: string, initial: T): [T, (changes: Partial<T>) => void] {
  const [draft, setDraft] = useState<T>(() => ({ ...initial, ...read(name) }));
  useEffect(() => {
    storeDraft(name, draft);
  }, [name, draft]);
  return [draft, (changes) => setDraft((before) => ({ ...before, ...changes }))];
}

/** Have the form `name` hold `draft` when it is next shown. */
export function storeDraft(name: string, draft: object): void {
  sessionStorage.setItem(`rlp-draft-${name}`, JSON.stringify(draft));
}

/** The draft of the form `name` as it was left; null where there is none. */
export function storedDraft<T extends object>(name: string): T | null {
  const found = read(name);
  return Object.keys(found).length > 0 ? (found as T) : null;
}

function read(name: string): object {
  try {
    return JSON.parse(sessionStorage.getItem(`rlp-draft-${name}`) ?? "{}");
  } catch {
    return {};
  }
}
