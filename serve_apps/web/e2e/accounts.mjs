/**
 * People who come with accounts of others: staff by the OpenID provider, a learner from a learning platform. Both are of
 * another site than the page. RLP_KEY is an operator's; RLP_LTI and RLP_LOGIN are a registration and a login.
 */
import assert from "node:assert/strict";
import { env } from "node:process";
import { browser, expectCount, person, url } from "./driver.mjs";

const SESSION = /^(__Host-)?rlp_session$/; // with HTTPS the name has a prefix
const { RLP_KEY: key, RLP_ASSIGNMENT: assignment, RLP_LTI: registration, RLP_LOGIN: login } = env;

async function send(method, path, body) {
  const answer = await fetch(`${url}/v1/${path}`, {
    method,
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body,
  });
  assert(answer.ok, await answer.text());
}

await send("PUT", "assignments/double", assignment);
await send("POST", "lti/registrations", registration);

const staff = await person();
const { page } = staff;
const button = page.getByRole("link", { name: "Sign in with Example University" });

await staff.step("the provider signs in, and leads back to the page that was asked for", async () => {
  await page.goto(`${url}/#/assignments/double`);
  await button.waitFor();
  await staff.inspect("sign-in");
  await staff.inspectPhone("sign-in");
  await button.click();
  await staff.heading("Double");
  assert.equal(new URL(page.url()).hash, "#/assignments/double");
  const [cookie] = (await staff.context.cookies(url)).filter(({ name }) => SESSION.test(name));
  assert.deepEqual([cookie?.httpOnly, cookie?.sameSite], [true, "Strict"]);
  assert.equal(await page.evaluate(() => document.cookie), "");
});

await staff.step("the live connection works, and a reload stays signed in", async () => {
  await page
    .locator(".connection", { hasText: /live/i })
    .or(page.getByText("Live", { exact: true }))
    .first()
    .waitFor();
  await page.reload();
  await staff.heading("Double");
});

await staff.step("a link in a new tab stays signed in, also without another tab", async () => {
  const tab = await staff.context.newPage();
  await tab.goto(`${url}/#/assignments/double/grades`);
  await tab.getByRole("heading", { level: 1 }).waitFor();
  await page.goto("about:blank");
  await tab.close();
  await page.evaluate(() => globalThis.name);
  const alone = await staff.context.newPage();
  await alone.goto(`${url}/#/assignments/double`);
  await alone.getByRole("heading", { level: 1, name: "Double" }).waitFor();
  await alone.close();
  await page.goto(`${url}/#/assignments/double`);
  await staff.heading("Double");
});

await staff.step("formulas are drawn, and prices are not", async () => {
  await expectCount(page.locator(".formula math"), 2);
  const box = await page.locator(".formula.display math").boundingBox();
  assert(box.height > 20 && box.width > 60, "it has a size");
  await page.getByText("It costs $5 or $6.").waitFor();
  await staff.inspect("statement");
  await staff.inspectPhone("statement");
});

const learner = await person();
await learner.step("a link of the learning platform leads to the assignment", async () => {
  await learner.page.goto(`${url}/lti/login?${new URLSearchParams(JSON.parse(login))}`);
  await learner.page.getByRole("button", { name: "Continue" }).click();
  await learner.heading("Double");
  await expectCount(learner.page.getByRole("link", { name: "Grades" }), 0);
  await learner.inspectPhone("launched");
});

await staff.step("staff give an extension, change it and take it back", async () => {
  await page.getByRole("link", { name: "Extensions" }).click();
  await page.getByRole("heading", { name: "Give an extension" }).waitFor();
  await page.getByRole("button", { name: "Give the extension" }).click();
  await page.getByText("Choose a member.").waitFor();
  await page.getByLabel("Member", { exact: true }).selectOption({ label: "Grace Hopper (lti:grace)" });
  await page.getByLabel("Due").fill("2030-02-07T23:59");
  await page.getByLabel("Further attempts").fill("2");
  await page.getByLabel("Reason").fill("illness");
  await page.getByRole("button", { name: "Give the extension" }).click();
  const row = page.getByRole("row", { name: /Grace Hopper/ });
  await row.getByText("illness").waitFor();
  await staff.inspect("extensions");
  await staff.inspectPhone("extensions");
  await row.getByRole("button", { name: /^Change/ }).click();
  assert.equal(await page.getByLabel("Due").inputValue(), "2030-02-07T23:59");
  await page.getByLabel("Reason").fill("a longer illness");
  await page.getByRole("button", { name: "Give the extension" }).click();
  await row.getByText("a longer illness").waitFor();
  page.once("dialog", (dialog) => dialog.accept());
  await row.getByRole("button", { name: /^Take back/ }).click();
  await page.getByText("Members with later dates or further attempts appear here.").waitFor();
});

await staff.step("sign-out ends the session in all tabs", async () => {
  const tab = await staff.context.newPage();
  await tab.goto(`${url}/#/assignments/double`);
  await tab.getByRole("heading", { level: 1, name: "Double" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await button.waitFor();
  await tab.getByRole("link", { name: "Sign in with Example University" }).waitFor();
  await tab.reload();
  await tab.getByRole("link", { name: "Sign in with Example University" }).waitFor();
  assert.deepEqual(
    (await staff.context.cookies(url)).filter(({ name }) => SESSION.test(name)),
    [],
  );
});

await staff.step("a refusal is explained in words of the page", async () => {
  await page.goto(`${url}/sign-in/callback?code=x&state=y`);
  await page.getByText("Sign in again.").waitFor();
  assert.equal(new URL(page.url()).hash, "#/");
  await staff.inspect("refused");
});

await browser.close();
