/** One person's browser, for scripts that drive the page: RLP_KEY and RLP_LEARNER say as whom; see `driver.mjs`. */
import assert from "node:assert/strict";
import { env } from "node:process";
import { person, url } from "./driver.mjs";

export { browser, expectCount, url } from "./driver.mjs";
export const { RLP_KEY: key, RLP_LEARNER: learner } = env;
assert(key && learner, "RLP_KEY and RLP_LEARNER say as whom");
export const { context, page, step, shot, inspect, inspectPhone, heading } = await person();

export const status = (name) => page.locator(".page-head .badge", { hasText: name }).waitFor();
export const api = (path, init = {}) =>
  fetch(`${url}/v1/${path}`, { ...init, headers: { Authorization: `Bearer ${key}`, ...init.headers } });
