/** Studies on the page: started, followed, paused, stopped, read, copied. */
import assert from "node:assert/strict";
import {
  browser,
  context,
  expectCount,
  heading,
  inspect,
  inspectPhone,
  key,
  page,
  shot,
  status,
  step,
  url,
} from "./harness.mjs";

await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });
const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
const search = () => page.getByRole("button", { name: "Search another hyperparameter" }).click();
const row = (index) => page.locator(".searched").nth(index);

try {
  await step("an empty list says how studies come", async () => {
    await page.goto(`${url}/#key=${key}&/studies`);
    await heading("Studies");
    await page.getByText("Studies appear here.").waitFor();
    await inspect("studies-empty");
  });

  await step("a study that cannot be is refused at its fields", async () => {
    await page.getByRole("link", { name: "Start a study" }).click();
    await heading("Start a study");
    await page.getByText("Made-up curves").click();
    await page.getByLabel("Env steps", { exact: true }).fill("40960");
    await search();
    await row(1).getByLabel("Hyperparameter", { exact: true }).fill("gama");
    await row(1).getByLabel("Least").fill("0.9");
    await row(1).getByLabel("Greatest").fill("often");
    await page.getByLabel("Trials", { exact: true }).fill("");
    await page.getByRole("button", { name: "Start the study" }).click();
    await page.locator(".error", { hasText: "Give a number." }).waitFor();
    await page.locator(".error", { hasText: "Give a number of trials or a budget" }).waitFor();
    await row(1).getByLabel("Greatest").fill("0.999");
    await page.getByLabel("Trials", { exact: true }).fill("8");
    await page.getByRole("button", { name: "Start the study" }).click();
    await page.locator(".error", { hasText: "did you mean gamma" }).waitFor();
    await row(1).getByLabel("Hyperparameter", { exact: true }).fill("gamma");
    await row(1).getByLabel("Greatest").fill("1.5");
    await page.getByRole("button", { name: "Start the study" }).click();
    await page.locator(".searched .error, .alert", { hasText: "1.5" }).first().waitFor();
    await shot("study-refused");
    await row(1).getByLabel("Greatest").fill("0.999");
    await search();
    await row(2).getByLabel("Hyperparameter", { exact: true }).fill("batch_size");
    await row(2).getByLabel("Values", { exact: true }).selectOption("One of a list");
    await row(2).getByLabel("Choices", { exact: true }).fill("64, 128, 256");
    await page.getByLabel("Seeds", { exact: true }).fill("0..2");
    await page.getByText("Up to 8 trials × 3 seeds: 24 trainings, 983,040 env steps.").waitFor();
    await inspect("study-new");
    await inspectPhone("study-new");
  });

  await step("it runs, live, and is paused and resumed", async () => {
    await page.getByLabel("Trainings at a time").fill("3");
    await page.getByRole("button", { name: "Start the study" }).click();
    await heading(/CartPole-v1/);
    await status("running");
    await page.locator("table.trials tbody tr").first().waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await status("paused");
    await inspect("study-paused");
    await page.getByRole("button", { name: "Resume" }).click();
    await status("running");
    await page.locator("table.trials .badge", { hasText: "completed" }).first().waitFor();
    await inspect("study-running");
  });

  let address = "";
  await step("its end shows ranks, importances and the best configuration", async () => {
    await page.waitForFunction(
      () => document.querySelector(".page-head .badge")?.textContent.includes("succeeded"),
      null,
      { timeout: 60_000 },
    );
    address = page.url();
    await expectCount(page.locator("table.trials tbody tr"), 8);
    const ranks = await page.locator("table.trials tbody tr td:nth-child(2)").allInnerTexts();
    assert.deepEqual(
      ranks,
      [...ranks].sort((a, b) => Number(a) - Number(b)),
      "the best rank comes first",
    );
    await expectCount(page.locator(".parallel path.target"), 8);
    await page.getByLabel("Importance of learning_rate").waitFor();
    await page.getByRole("button", { name: "Copy as command" }).click();
    assert.match(
      await clipboard(),
      /^rlp train --env CartPole-v1 .*-H learning_rate:0\.\d+ .*--env-steps 40960 --seed 0$/,
    );
    await page.getByRole("button", { name: "Copy as JSON" }).click();
    assert.deepEqual(Object.keys(JSON.parse(await clipboard())).sort(), ["batch_size", "gamma", "learning_rate"]);
    await inspect("study-succeeded");
    await inspectPhone("study-succeeded");
  });

  await step("trials are chosen on an axis, and marked in chart and table", async () => {
    const grip = page.locator(".parallel .grip").last();
    await grip.scrollIntoViewIfNeeded();
    const box = await grip.boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.8, { steps: 5 });
    await page.mouse.up();
    const rows = page.locator("table.trials tbody tr");
    const chosen = await rows.count();
    assert(chosen >= 1 && chosen < 8, `some trials are chosen: ${chosen}`);
    await shot("study-brushed");
    await page.getByRole("button", { name: "Show all 8 trials" }).click();
    await expectCount(rows, 8);
    await rows.first().hover();
    await expectCount(page.locator(".parallel path.marked"), 1);
  });

  await step("its trainings are compared by seed, and its settings are trained and searched again", async () => {
    await page.getByRole("link", { name: "Compare learning curves" }).click();
    await heading("Compare trainings");
    await page.locator("#groups").waitFor();
    await expectCount(page.locator("table[aria-labelledby=groups] tbody tr"), 8, "a group a trial");
    await page.goto(address);
    await page.getByRole("link", { name: "Copy study" }).click();
    await heading("Start a study");
    await page.waitForFunction(() => document.querySelectorAll(".searched").length === 3);
    assert.equal(await row(2).getByLabel("Choices", { exact: true }).inputValue(), "64, 128, 256");
    await page.getByLabel("Env steps", { exact: true }).fill("10000000");
    await page.getByRole("button", { name: "Start the study" }).click();
    await status("running");
    await page.getByRole("button", { name: "Stop" }).click();
    await inspect("study-stop");
    await page.getByRole("alertdialog").getByRole("button", { name: "Stop study" }).click();
    await status("stopped");
  });

  await step("the list shows the studies and their best", async () => {
    await page.getByRole("link", { name: "Studies" }).click();
    await heading("Studies");
    // the copy, which was stopped with a result or without, is first
    await page.locator("table.runs tbody tr").nth(1).getByText("learning_rate 0.").waitFor();
    await inspect("studies");
    await inspectPhone("studies");
    await page.getByLabel("State of studies").selectOption("failed");
    await page.getByText("No study is failed.").waitFor();
  });
} finally {
  await browser.close();
}
