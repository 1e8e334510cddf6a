/**
 * Headless Chromium for scripts that drive the page as its users do: RLP_URL, RLP_KEY and RLP_LEARNER say where and as whom,
 * RLP_SHOTS (a folder) keeps screenshots. A step fails on the first thing that is not as it should be: a text, a
 * Content-Security-Policy violation, an error in the console, an axe-core finding.
 */
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { env } from "node:process";
import { chromium } from "playwright-core";

export const { RLP_URL: url, RLP_KEY: key, RLP_LEARNER: learner, RLP_SHOTS: shots } = env;
assert(url && key && learner, "RLP_URL, RLP_KEY and RLP_LEARNER say what to drive, and as whom");
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const browser = await chromium.launch({
  executablePath: env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
export const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, colorScheme: "light" });
context.setDefaultTimeout(15_000);
export const page = await context.newPage();
const complaints = [];
const expected = /40[14]|422/; // refusals that are provoked here: Chromium logs them, too
page.on("console", (message) => {
  // a busy machine may not be ready for a moment: the page says so by itself
  const busy = message.location().url.endsWith("/readyz");
  if (message.type() === "error" && !busy && !expected.test(message.text())) complaints.push(message.text());
});
page.on("pageerror", (error) => complaints.push(String(error)));
await page.addInitScript(() => {
  globalThis.violations = [];
  document.addEventListener("securitypolicyviolation", (event) =>
    globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`),
  );
});

export async function step(name, action) {
  const began = Date.now();
  try {
    await action();
  } catch (error) {
    await shot(`failed-${name}`);
    throw new Error(`step "${name}": ${error.stack}`);
  }
  assert.deepEqual(await page.evaluate(() => globalThis.violations), [], `${name}: the policy was violated`);
  assert.deepEqual(complaints, [], `${name}: the console complains`);
  console.log(`ok ${name} (${Date.now() - began} ms)`);
}

export async function shot(name) {
  if (!shots) return;
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: `${shots}/${name.replaceAll(" ", "-")}.png`, fullPage: true });
}

/** Both schemes: what is too faint in one may be fine in the other. */
export async function inspect(name) {
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await page.waitForTimeout(150);
    await shot(`${name}-${scheme}`);
    // evaluated over the protocol: the page's own policy lets no script in
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const found = violations.map(
      ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" | ")}`,
    );
    assert.deepEqual(found, [], `${name}, ${scheme}: axe finds`);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "no-preference" });
}

export const heading = (name) => page.getByRole("heading", { level: 1, name }).waitFor();
export const status = (name) => page.locator(".page-head .badge", { hasText: name }).waitFor();
export const api = (path, init = {}) =>
  fetch(`${url}/v1/${path}`, { ...init, headers: { Authorization: `Bearer ${key}`, ...init.headers } });

/** On a phone nothing is wider than the screen. */
export async function inspectPhone(name) {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 390, height: 844 });
  await inspect(`${name}-phone`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert(overflow <= 0, `${name} is ${overflow} px too wide for a phone`);
  await page.setViewportSize(before);
}
