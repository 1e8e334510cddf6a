/**
 * Headless Chromium, driven as people use the page: RLP_URL says where it is, RLP_SHOTS (a folder) keeps screenshots. A step
 * fails on the first thing that is not as it should be: a text, a Content-Security-Policy violation, an error in the
 * console, an axe-core finding.
 */
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { env } from "node:process";
import { chromium } from "playwright-core";

export const { RLP_URL: url } = env;
assert(url, "RLP_URL says what to drive");
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const expected = /40[149]|422/; // refusals that are provoked here: Chromium logs them, too

export const browser = await chromium.launch({
  executablePath: env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});

/** Wait until a locator matches so many elements: what is drawn again for a moment matches fewer. */
export async function expectCount(locator, expected, meaning = `${locator} matches`) {
  const end = Date.now() + 15_000;
  let found = await locator.count();
  while (found !== expected && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    found = await locator.count();
  }
  assert.equal(found, expected, meaning);
}

/** A person's browser: a context of its own, with one page. */
export async function person() {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, colorScheme: "light" });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const complaints = [];
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

  async function step(name, action) {
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

  async function shot(name) {
    const { RLP_SHOTS: shots } = env;
    if (!shots) return;
    await mkdir(shots, { recursive: true });
    await page.screenshot({ path: `${shots}/${name.replaceAll(" ", "-")}.png`, fullPage: true });
  }

  /** Both schemes: what is too faint in one may be fine in the other. */
  async function inspect(name) {
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

  /** On a phone nothing is wider than the screen. */
  async function inspectPhone(name) {
    const before = page.viewportSize();
    await page.setViewportSize({ width: 390, height: 844 });
    await inspect(`${name}-phone`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(overflow <= 0, `${name} is ${overflow} px too wide for a phone`);
    await page.setViewportSize(before);
  }

  const heading = (name) => page.getByRole("heading", { level: 1, name }).waitFor();
  return { context, page, step, shot, inspect, inspectPhone, heading };
}
