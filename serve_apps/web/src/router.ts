/** Where the page is: the path in the address's fragment, so that the server needs to know one page only. */
import { signal } from "@preact/signals";

export interface Route {
  path: string[];
  query: URLSearchParams;
}

function read(): Route {
  const [path = "", query = ""] = window.location.hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean), query: new URLSearchParams(query) };
}

export const route = signal<Route>(read());

export function listen(): void {
  route.value = read();
  window.addEventListener("hashchange", () => {
    route.value = read();
  });
}

export function go(path: string): void {
  window.location.hash = `#${path}`;
}
