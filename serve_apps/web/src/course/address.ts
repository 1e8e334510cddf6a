/** Address of a part of an assignment on the page. */
export const addressOf = (name: string, section = "work", rest = ""): string =>
  `#/assignments/${encodeURIComponent(name)}${section === "work" ? "" : `/${section}`}${rest}`;
