/** Pictures of environments, which `pictures.py` draws. */

const FILES = import.meta.glob<string>("../pictures/*.png", { eager: true, query: "?url", import: "default" });

/** Address of the picture of an environment; null: there is none. */
export const pictureOf = (env: string): string | null => FILES[`../pictures/${env}.png`] ?? null;
