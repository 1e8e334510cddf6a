/** Values as people write them: JSON, Python literals, text. */
import type { JsonValue } from "../types";

const PYTHON: Record<string, JsonValue> = { True: true, False: false, None: null };

/** Read `0.01`, `true`, `[64, 64]`, a Python literal such as `True`; what is none of these is text, such as `lin_0.001`. */
export function loose(text: string): JsonValue {
  const word = text.trim();
  if (word in PYTHON) return PYTHON[word] as JsonValue;
  try {
    return JSON.parse(word) as JsonValue;
  } catch {
    const number = Number(word);
    return word !== "" && Number.isFinite(number) ? number : word;
  }
}

/** Read a list with commas between its values, which may be lists themselves: `64, 128` or `[64, 64], [256, 256]`. */
export function looseList(text: string): JsonValue[] {
  if (text.trim() === "") return [];
  try {
    return JSON.parse(`[${text}]`) as JsonValue[];
  } catch {
    return text
      .split(",")
      .filter((word) => word.trim())
      .map(loose);
  }
}

/** The text of a value that reads as that value again. */
export const written = (value: JsonValue): string => (typeof value === "string" ? value : JSON.stringify(value));
