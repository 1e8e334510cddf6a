/** What is being written in a form, kept in this tab until it is closed or signed out. */
import { useEffect, useState } from "preact/hooks";

export function useDraft<T extends object>(name: string, initial: T): [T, (changes: Partial<T>) => void] {
  const [draft, setDraft] = useState<T>(() => ({ ...initial, ...read(name) }));
  useEffect(() => {
    sessionStorage.setItem(`rlp-draft-${name}`, JSON.stringify(draft));
  }, [name, draft]);
  return [draft, (changes) => setDraft((before) => ({ ...before, ...changes }))];
}

function read(name: string): object {
  try {
    return JSON.parse(sessionStorage.getItem(`rlp-draft-${name}`) ?? "{}");
  } catch {
    return {};
  }
}
