/**
 * Takes the pictures of the documents from a running platform, headless: RLP_URL and RLP_KEY say where and as whom, OUT is
 * the folder. It judges a submission and trains CartPole-v1 on the way.
 */
import assert from "node:assert/strict";
import { env } from "node:process";
import { chromium } from "playwright-core";

const { RLP_URL: url, RLP_KEY: key, OUT: out } = env;
assert(url && key && out, "set RLP_URL, RLP_KEY and OUT");

const browser = await chromium.launch({
  executablePath: env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, colorScheme: "light" });
context.setDefaultTimeout(60_000);
const page = await context.newPage();

const heading = (name) => page.getByRole("heading", { level: 1, name }).waitFor();
const finished = (name) => page.locator(".badge", { hasText: name }).first().waitFor();
const shot = (name, height) =>
  page.screenshot({ path: `${out}/${name}.png`, fullPage: true, clip: { x: 0, y: 0, width: 1180, height } });

try {
  await page.goto(`${url}/#key=${key}&/evaluate`);
  await heading("Evaluate code");
  const editor = page.getByRole("textbox", { name: "Program, in Python" });
  await editor.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText("number = int(input())\nprint(number ** 2)  # it should be doubled\n");
  await page.getByRole("button", { name: "Submit" }).click();
  await page.locator(".result > .card-head .badge", { hasText: "wrong answer" }).waitFor();
  await page.evaluate(() => scrollTo(0, 0));
  await shot("evaluation", 740);

  const answer = await fetch(`${url}/v1/trainings`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      env: "CartPole-v1",
      seed: 1,
      stop: { env_steps: 100_000 },
      evaluation: { every_iterations: 10, episodes: 10 },
      checkpoint: { every_iterations: 10 },
    }),
  });
  const { id } = await answer.json();
  await page.goto(`${url}/#/trainings/${id}`);
  await heading(/CartPole-v1/);
  await finished("succeeded");
  await page.waitForTimeout(500); // the last frame of the chart
  await shot("training", 1170);

  await page.goto(`${url}/#/runs`);
  await heading("Runs");
  await finished("succeeded");
  await shot("runs", 450);
} finally {
  await browser.close();
}
