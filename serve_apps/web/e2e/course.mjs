/**
 * A course on the page, from the roster to the regrade: one browser of the staff, one of a learner. RLP_KEY is the key of an
 * administrator; the sandbox doubles with `* 2` in the program and triples without.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { env } from "node:process";
import { browser, expectCount, person, url } from "./driver.mjs";

const { RLP_KEY: key } = env;
assert(key, "RLP_KEY says as whom");

const staff = await person();
const learner = await person();
let ada = "";

const DAY = 86_400_000;
const STATEMENT = `Write \`double(x)\`, which returns **twice** its argument.

## Rules

1. No packages
2. <b>Markup</b> stays text

| case | result |
| --- | ---: |
| 2 | 4 |

[Lecture](https://example.org/lecture) and [not a link](javascript:alert(1))
`;
const ASSIGNMENT = {
  title: "Double a number",
  statement: STATEMENT,
  starter: [
    { path: "main.py", content: "def double(x):\n    ...\n" },
    { path: "notes.md", content: "How I did it:\n" },
  ],
  grader: { kind: "function", entry: "double" },
  tests: [
    { id: "two", args: [2], expected: 4 },
    { id: "secret", args: [21], expected: 42, hidden: true, points: 3 },
  ],
  due_at: new Date(Date.now() + 5 * DAY).toISOString(),
  closes_at: new Date(Date.now() + 9 * DAY).toISOString(),
  late: { per_day: 0.1, at_most: 0.5, grace_s: 600 },
  attempts: { maximum: 5 },
  leaderboard: {},
};

async function publish(name, changes) {
  const answer = await fetch(`${url}/v1/assignments/${name}`, {
    method: "PUT",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ ...ASSIGNMENT, ...changes }),
  });
  assert.equal(answer.status, 201, await answer.text());
}

const verdict = (page, name) => page.locator(".result > .card-head .badge", { hasText: name }).first().waitFor();

async function write(page, program) {
  const editor = page.getByRole("textbox", { name: "Program, in Python" });
  await editor.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(program);
}

try {
  await staff.step("an empty course says what to do", async () => {
    await staff.page.goto(`${url}/#key=${key}&/assignments`);
    await staff.heading("Assignments");
    await staff.page.getByText("rlp assignment init").waitFor();
    await staff.inspect("assignments-none");
  });

  await staff.step("a roster is imported, and its keys are saved once", async () => {
    const { page } = staff;
    await page.getByRole("link", { name: "People" }).click();
    await staff.heading("People");
    const file = (text) => ({ name: "roster.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
    const chooser = page.getByLabel("Roster, a CSV file");
    await chooser.setInputFiles(file("name,room\nAda,12\n"));
    await page.getByText("a column must have an id of each person").first().waitFor();
    await chooser.setInputFiles(file("Student ID;Full name;Section\ns1;Ada Lovelace;A\ns2;Alan Turing;B\n"));
    await page.getByText("roster.csv: 2 people").waitFor();
    await page.getByLabel("New people get").selectOption("keys");
    await page.getByRole("button", { name: "Import" }).click();
    await page.getByText("2 added, 0 known already.").waitFor();
    await page.getByRole("rowheader", { name: "Ada Lovelace" }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save the API keys" }).click(),
    ]);
    const lines = (await readFile(await download.path(), "utf8")).split("\r\n");
    assert.deepEqual([lines[0], lines.length], ["external_id,name,email,api_key", 3]);
    ada = lines[1].split(",")[3];
    await staff.inspect("people");
    await staff.inspectPhone("people");
  });

  await learner.step("a learner sees what is due, and what is left", async () => {
    await publish("double", {});
    await publish("later", { title: "Later", opens_at: new Date(Date.now() + DAY).toISOString() });
    const { page } = learner;
    await page.goto(`${url}/#key=${ada}&/assignments`);
    await learner.heading("Assignments");
    const row = page.getByRole("row", { name: /Double a number/ });
    assert.match(await row.innerText(), /in 4 days[\s\S]*5 of 5/);
    await expectCount(page.getByText("Later"), 0, "what has not opened is not shown");
    await expectCount(page.getByRole("link", { name: "People" }), 0, "people are for staff");
    await learner.inspect("assignments");
    await learner.inspectPhone("assignments");
  });

  await learner.step("a link opened in a new tab stays signed in, and shows the statement safely", async () => {
    const { page, context } = learner;
    const link = page.getByRole("link", { name: "Double a number" });
    const [tab] = await Promise.all([context.waitForEvent("page"), link.click({ modifiers: ["Control"] })]);
    await tab.getByRole("heading", { level: 1, name: "Double a number" }).waitFor();
    const statement = tab.locator(".markdown");
    await statement.getByRole("heading", { level: 3, name: "Rules" }).waitFor();
    await statement.getByText("<b>Markup</b> stays text").waitFor();
    assert.deepEqual(
      await statement.getByRole("link").evaluateAll((links) => links.map(({ href, rel }) => [href, rel])),
      [["https://example.org/lecture", "noopener noreferrer"]],
    );
    await tab.close();
    await link.click();
    await learner.heading("Double a number");
  });

  await learner.step("the cost of a submission is known before, and its verdicts come live", async () => {
    const { page } = learner;
    await page.getByText("Late submissions lose 10% of their score for each day begun, 50% at most.").waitFor();
    await page.getByText("Uses 1 of 5 attempts.").waitFor();
    await page.getByRole("textbox", { name: "Program, in Python" }).getByText("def double(x):").waitFor();
    await page.getByRole("tab", { name: "notes.md" }).click();
    await page.getByRole("textbox", { name: "notes.md" }).getByText("How I did it:").waitFor();
    await page.getByRole("tab", { name: "main.py" }).click();
    await learner.inspect("assignment");
    await learner.inspectPhone("assignment");
    const uploaded = { name: "main.py", mimeType: "text/x-python", buffer: Buffer.from("uploaded = True\n") };
    await page.getByLabel("Files to add").setInputFiles(uploaded);
    await page.getByRole("textbox", { name: "Program, in Python" }).getByText("uploaded = True").waitFor();
    await page.evaluate(() => {
      globalThis.counts = new Set();
      const count = () => globalThis.counts.add(document.querySelectorAll(".result .test").length);
      new MutationObserver(count).observe(document.body, { childList: true, subtree: true });
    });
    await write(page, "def double(x):\n    # a first try\n    return x + x + x\n");
    await page.getByRole("button", { name: "Submit" }).click();
    await verdict(page, "wrong answer");
    const counts = await page.evaluate(() => [...globalThis.counts]);
    assert(counts.includes(1), `verdicts come one by one: ${counts}`);
    await page.getByText("Uses 1 of 4 attempts.").waitFor();
    const secret = page.locator(".result .test", { hasText: "secret" });
    await expectCount(secret.locator("details"), 0, "of a hidden test, learners see the verdict only");
  });

  await learner.step("a second submission is accepted, and the draft stays", async () => {
    const { page } = learner;
    await write(page, "def double(x):\n    return x * 2\n");
    await page.keyboard.press("Control+Enter");
    await verdict(page, "accepted");
    await page.locator(".result .badge", { hasText: "counts" }).waitFor();
    await page.locator(".facts-row dd", { hasText: "4 / 4" }).waitFor();
    await learner.inspect("assignment-accepted");
    await page.reload();
    await page.getByRole("textbox", { name: "Program, in Python" }).getByText("return x * 2").waitFor();
    page.once("dialog", (dialog) => dialog.accept());
    await page.getByRole("button", { name: "Start over" }).click();
    await page.getByRole("textbox", { name: "Program, in Python" }).getByText("...").waitFor();
  });

  await learner.step("submissions stay, and two are compared", async () => {
    const { page } = learner;
    await page.getByRole("link", { name: "My submissions" }).click();
    await page.getByRole("checkbox", { name: "Compare number 1" }).check();
    await page.getByRole("checkbox", { name: "Compare number 2" }).check();
    await learner.inspect("submissions");
    await page.getByRole("link", { name: "Show what changed from number 1 to number 2" }).click();
    const lines = page.getByRole("group", { name: "Changed lines of main.py" });
    await lines.getByText("removed: # a first try").or(lines.getByText("# a first try")).first().waitFor();
    assert.match(await lines.locator("tr.added").innerText(), /return x \* 2/);
    await expectCount(lines.locator("tr.removed"), 2);
    await learner.inspect("difference");
    await learner.inspectPhone("difference");
    await page.getByRole("link", { name: "Leaderboard" }).click();
    const row = page.getByRole("row", { name: /you/ });
    await row.waitFor();
    assert(!(await row.innerText()).includes("Ada"), "learners have made-up names");
    await learner.inspect("leaderboard");
    await learner.inspectPhone("leaderboard");
  });

  await staff.step("staff see students and tests, and save the grades", async () => {
    const { page } = staff;
    await page.goto(`${url}/#/assignments/double/grades`);
    await staff.heading("Double a number");
    const row = page.getByRole("row", { name: /Ada Lovelace/ });
    assert.match(await row.innerText(), /4 \/ 4/);
    await expectCount(row.locator(".mark.good"), 2);
    await expectCount(page.getByRole("row", { name: /Alan Turing/ }).locator(".mark.none"), 2);
    await page.getByLabel("Find a student").fill("turing");
    await expectCount(row, 0);
    await page.getByLabel("Find a student").fill("");
    await staff.inspect("grades");
    await staff.inspectPhone("grades");
    for (const [label, name] of [
      ["Download CSV", "double.csv"],
      ["Download for Gradescope", "double-gradescope.json"],
    ]) {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: label }).click(),
      ]);
      assert.equal(download.suggestedFilename(), name);
      assert.match(await readFile(await download.path(), "utf8"), /s1/);
    }
  });

  await staff.step("staff comment on a line and adjust the grade, and the learner reads why", async () => {
    const { page } = staff;
    await page.getByRole("link", { name: "Ada Lovelace", exact: true }).click();
    await page.getByRole("button", { name: "Comment on line 2" }).click();
    await page.getByLabel("Comment on line 2").last().fill("Neat.\nDoes it work for text?");
    await page.getByRole("button", { name: "Add comment" }).click();
    await page.locator(".line.commented", { hasText: "Neat." }).waitFor();
    await page.getByLabel("Points to add").fill("half");
    await page.getByRole("button", { name: "Adjust the grade" }).click();
    await page.locator(".error", { hasText: "Give a number." }).waitFor();
    await page.getByLabel("Points to add").fill("-0.5");
    await page.getByLabel("Reason").fill("No notes.");
    await page.getByRole("button", { name: "Adjust the grade" }).click();
    await page.locator(".adjustments", { hasText: "No notes." }).waitFor();
    await expectCount(page.locator(".result details"), 2, "staff see hidden tests");
    await staff.inspect("submission");
    await staff.inspectPhone("submission");
    await learner.page.goto(`${url}/#/assignments/double/submissions`);
    await learner.page.getByRole("link", { name: "number 2" }).click();
    await learner.page.locator(".line.commented", { hasText: "Does it work for text?" }).waitFor();
    await learner.page.locator(".adjustments", { hasText: "−0.5" }).waitFor();
    await expectCount(learner.page.getByRole("button", { name: /Comment on/ }), 0);
    await learner.inspect("submission-learner");
    await learner.page.getByRole("link", { name: "Assignment", exact: true }).click();
    await learner.page.getByText("−0.5 by course staff: No notes.").waitFor();
  });

  await staff.step("a regrade is tried before it changes a grade", async () => {
    const tests = [ASSIGNMENT.tests[0], { ...ASSIGNMENT.tests[1], expected: 41 }];
    await publish("double", { tests });
    const { page } = staff;
    await page.getByRole("link", { name: "Regrades" }).click();
    await page.getByText("version 2").first().waitFor();
    await page.getByLabel("Judge by version").selectOption("2");
    await page.getByRole("button", { name: "Try the regrade" }).click();
    await page.getByText("1 student").last().waitFor();
    await page.getByRole("row", { name: /Ada Lovelace.*3\.5.*0\.5/ }).waitFor();
    await staff.inspect("regrade");
    await staff.inspectPhone("regrade");
    await page.getByRole("button", { name: "Commit" }).click();
    await page.getByRole("button", { name: "Not yet" }).click();
    await page.getByRole("button", { name: "Commit" }).click();
    await page.getByRole("button", { name: "Change the grades" }).click();
    await page.locator(".badge", { hasText: "committed" }).waitFor();
    await page.getByText("its results hold").waitFor();
    await page.getByRole("link", { name: "Grades", exact: true }).click();
    assert.match(await page.getByRole("row", { name: /Ada Lovelace/ }).innerText(), /0\.5 \/ 4/);
  });

  await learner.step("a new version is not submitted to unread", async () => {
    const { page } = learner;
    await page.reload();
    await page.getByText("version 2").waitFor();
    await publish("double", { statement: "Read me again." });
    await page.getByRole("button", { name: "Submit" }).click();
    await page.getByRole("alert").getByText("version 3 of double is the newest").waitFor();
    await page.locator(".markdown", { hasText: "Read me again." }).waitFor();
    await page.getByRole("button", { name: "Submit" }).click();
    await page.locator(".result > .card-head .badge").first().waitFor();
  });
} finally {
  await browser.close();
}
