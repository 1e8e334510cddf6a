/** The page as people use it, from signing in to signing out. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import {
  api,
  browser,
  context,
  expectCount,
  heading,
  inspect,
  key,
  learner,
  page,
  shot,
  status,
  step,
  url,
} from "./harness.mjs";

let sockets = 0;
page.on("websocket", () => {
  sockets += 1;
});

try {
  await step("a wrong key is refused", async () => {
    await page.goto(url);
    await heading("Sign in");
    await inspect("sign-in");
    await page.getByLabel("API key").fill("secret");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This is not an API key").waitFor();
    await page.getByLabel("API key").fill(`${key.slice(0, -6)}AAAAAA`);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("the API key is not valid").waitFor();
  });

  await step("a link signs in and leaves no key behind", async () => {
    await page.goto("about:blank");
    await page.goto(`${url}/#key=${key}&/runs`);
    await heading("Runs");
    assert.equal(page.url(), `${url}/#/runs`);
    await page.getByText("Trainings appear here.").waitFor();
    await page.locator(".connection.live").waitFor();
    const stored = await page.evaluate(() => [JSON.stringify(localStorage), document.cookie]);
    assert(!stored.join().includes("rlp_"), "the key is in the session's storage alone");
  });

  await step("a link opened in a new tab stays signed in, and tabs sign out together", async () => {
    const [second] = await Promise.all([
      context.waitForEvent("page"),
      page
        .getByRole("link", { name: "Evaluate code" })
        .first()
        .click({ modifiers: ["Control"] }),
    ]);
    await second.getByRole("heading", { level: 1, name: "Evaluate code" }).waitFor();
    const stored = await second.evaluate(() => [JSON.stringify(localStorage), document.cookie]);
    assert(!stored.join().includes("rlp_"), "the key is not written to disk");
    await second.getByRole("button", { name: "Sign out" }).click();
    await heading("Sign in");
    assert.equal(await page.evaluate(() => sessionStorage.length), 0, "the first tab has forgotten the key, too");
    await second.reload();
    await second.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
    await second.close();
    await page.getByLabel("API key").fill(key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await heading("Runs");
  });

  await step("a submission is judged test by test", async () => {
    await page.getByRole("link", { name: "Evaluate code" }).first().click();
    await heading("Evaluate code");
    await page.getByRole("textbox", { name: "Program, in Python" }).waitFor();
    await page.evaluate(() => {
      globalThis.counts = new Set();
      const count = () => globalThis.counts.add(document.querySelectorAll(".result .test").length);
      new MutationObserver(count).observe(document.body, { childList: true, subtree: true });
    });
    await page.getByRole("button", { name: "Submit" }).click();
    const tests = page.locator(".result .test");
    await page.locator(".result > .card-head .badge", { hasText: "accepted" }).waitFor();
    await expectCount(tests, 3);
    const counts = await page.evaluate(() => [...globalThis.counts]);
    assert(counts.includes(1) || counts.includes(2), `verdicts come one by one: ${counts}`);
    await page.getByText("3 of 3 points", { exact: true }).waitFor();
  });

  await step("a wrong answer shows what was expected", async () => {
    await page.getByRole("button", { name: "Add a test" }).click();
    await page.getByRole("checkbox", { name: "Hidden" }).last().check();
    const editor = page.getByRole("textbox", { name: "Program, in Python" });
    await editor.click();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("print(int(input()) * 3)");
    await page.keyboard.press("Control+Enter");
    await page.locator(".result > .card-head .badge", { hasText: "wrong answer" }).waitFor();
    const first = page.locator(".result .test").first();
    assert.match(await first.innerText(), /Expected output\s+4[\s\S]*Output\s+6/);
    await expectCount(page.locator(".result .test").last().locator("details"), 1, "staff see hidden tests");
    await inspect("evaluate");
  });

  await step("a program is run with an input of one's own, in a chosen image", async () => {
    await page.getByLabel("Image").selectOption("python-torch");
    await page.getByLabel("Input for Run").fill("5\n");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    const output = page.locator("section.result", { has: page.getByRole("heading", { name: "Output" }) });
    await output.locator(".badge", { hasText: "exit status 0" }).waitFor();
    assert.equal(await output.getByRole("group", { name: "Printed" }).innerText(), "15\n");
    await expectCount(page.locator(".result .test"), 0, "a run has no tests");
    await inspect("evaluate-run");
    await page.setViewportSize({ width: 390, height: 844 });
    await inspect("evaluate-run-phone");
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(overflow <= 0, `the page is ${overflow} px too wide for a phone`);
    await page.setViewportSize({ width: 1360, height: 900 });
    await page.getByRole("heading", { name: "Checker and limits" }).click();
    await page.getByLabel("Checker", { exact: true }).selectOption("program");
    await page.getByLabel("Checker, in Python").waitFor();
    await inspect("evaluate-checker");
    await page.getByLabel("Checker", { exact: true }).selectOption("tokens");
    await page.getByLabel("Image").selectOption("");
    await page.getByLabel("Input for Run").fill("");
  });

  await step("files are added, shown in tabs, read by the program and removed", async () => {
    const buffer = Buffer.from([0, 1, 2, 255]);
    await page.getByLabel("Files to add").setInputFiles([
      { name: "helper.py", mimeType: "text/x-python", buffer: Buffer.from("FACTOR = 2\n") },
      { name: "weights.bin", mimeType: "application/octet-stream", buffer },
    ]);
    await page.getByRole("tab", { name: "weights.bin" }).click();
    await page.getByText('The program reads this uploaded file as "weights.bin".').waitFor();
    await page.getByRole("tab", { name: "helper.py" }).click();
    await page.getByRole("textbox", { name: "helper.py" }).getByText("FACTOR = 2").waitFor();
    await inspect("evaluate-files");
    for (const name of ["helper.py", "weights.bin"]) {
      await page.getByRole("tab", { name }).click();
      await page.getByRole("button", { name: `Remove ${name}` }).click();
    }
    await expectCount(page.getByRole("tab"), 1);
  });

  await step("a program that is dropped shows in the editor, and undo brings the earlier one back", async () => {
    const editor = page.getByRole("textbox", { name: "Program, in Python" });
    const earlier = await editor.innerText();
    for (const text of ["print('the first file')\r\n", "print('the second file')\n"]) {
      const file = { name: "main.py", mimeType: "text/x-python", buffer: Buffer.from(text) };
      await page.getByLabel("Files to add").setInputFiles(file);
      await editor.getByText(text.trim()).waitFor();
    }
    await editor.click();
    for (const _ of [1, 2]) await page.keyboard.press("Control+z");
    assert.equal(await editor.innerText(), earlier);
  });

  await step("what a test prints is seen while it runs", async () => {
    const editor = page.getByRole("textbox", { name: "Program, in Python" });
    await editor.click();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("count");
    await page.getByRole("button", { name: "Submit" }).click();
    const running = page.locator(".result .test", { hasText: "running" });
    const output = running.getByRole("group", { name: "Output so far" });
    await output.getByText(/\n20\n/).waitFor();
    assert.equal(await running.locator(".test-id").innerText(), "t1");
    const end = await output.evaluate((pre) => pre.scrollHeight - pre.clientHeight - pre.scrollTop);
    assert(end < 2, `the newest line is in sight, not ${end} px below`);
    await inspect("evaluate-running");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.locator(".result > .card-head .badge", { hasText: "cancelled" }).waitFor();
    await page
      .locator(".result .test", { hasText: "cancelled" })
      .getByText(/^1\n2\n/)
      .waitFor();
    await editor.click();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("print(int(input()) * 3)");
  });

  let evaluation = "";
  await step("the sample of each mode is accepted", async () => {
    // the draft is stored after the text is drawn: one that is removed before would come back
    await page.waitForFunction(() => sessionStorage.getItem("rlp-draft-submission")?.includes("input()) * 3)"));
    await page.evaluate(() => sessionStorage.removeItem("rlp-draft-submission"));
    await page.reload();
    await page.getByText("A function is called").click();
    await page.getByRole("textbox", { name: "Program, in Python" }).waitFor();
    await page.getByRole("button", { name: "Submit" }).click();
    await page.locator(".result > .card-head .badge", { hasText: "accepted" }).waitFor();
    await page.getByText("Reads input, prints output").click();
    await page.getByRole("button", { name: "Submit" }).click();
    await page.locator(".result > .card-head .badge", { hasText: "accepted" }).waitFor();
  });

  await step("the line that failed is marked, and one error is shown once", async () => {
    const editor = page.getByRole("textbox", { name: "Program, in Python" });
    const write = async (program) => {
      await editor.click();
      await page.keyboard.press("Control+a");
      await page.keyboard.insertText(program);
    };
    await write("x = int(input())\nraise ValueError('no')\n");
    await page.getByRole("button", { name: "Submit" }).click();
    await page.locator(".cm-failed", { hasText: "raise ValueError" }).getByText("ValueError: no").waitFor();
    await page.getByText("3 points", { exact: false }).first().waitFor();
    await expectCount(page.locator(".result details[open]"), 1, "only the first of three equal failures is open");
    await inspect("evaluate-traceback");
    await write("print((1)\n");
    await expectCount(page.locator(".cm-failed"), 0, "a mark goes when the text changes");
    await page.getByRole("button", { name: "Submit" }).click();
    await page.locator(".result > .card-head .badge", { hasText: "compile error" }).waitFor();
    await page.locator(".cm-failed", { hasText: "print((1)" }).waitFor();
    await expectCount(page.locator(".result").getByText("was never closed", { exact: false }), 1);
    await shot("evaluate-syntax-error");
    await write("print(int(input()) * 3)");
  });

  await step("a refused submission leaves no stale result and the program in sight", async () => {
    for (const width of [1360, 390]) {
      await page.setViewportSize({ width, height: 844 });
      await page.getByRole("button", { name: "Submit" }).click();
      await page.locator(".result > .card-head .badge", { hasText: "wrong answer" }).waitFor();
      const name = page.getByLabel("Name").last();
      await name.fill("<b>");
      await page.getByRole("button", { name: "Submit" }).click();
      await page.locator(".test-fields [aria-invalid=true]").waitFor();
      await expectCount(page.locator(".result"), 0, "the result of before is gone");
      const { top, bottom } = await page.locator(".editor").evaluate((element) => {
        const { top, bottom } = element.getBoundingClientRect();
        return { top, bottom };
      });
      assert(top >= 0 && bottom <= 844, `the program stays in sight, not at ${top} to ${bottom}`);
      await shot(`evaluate-refused-${width}`);
      await name.fill("t3");
    }
    await page.setViewportSize({ width: 1360, height: 900 });
  });

  await step("a function is called, and its value compared", async () => {
    await page.getByText("A function is called").click();
    await page.getByLabel("Arguments, a JSON list").first().fill("[2");
    await page.getByRole("button", { name: "Submit" }).click();
    await page.locator(".error", { hasText: "This is not JSON." }).waitFor();
    await page.getByLabel("Arguments, a JSON list").first().fill("[2]");
    await page.getByRole("button", { name: "Submit" }).click();
    const first = page.locator(".result .test").first();
    await first.getByText("Returned value").waitFor();
    assert.match(await first.innerText(), /Expected value\s+4\s+Returned value\s+6/);
    await page.getByRole("link", { name: "Open result" }).click();
    await heading(/Submission/);
    evaluation = page.url();
    await page.getByText("Finished: wrong answer, 0 of 3 points").last().waitFor();
    const reads = [];
    page.on("request", (request) => request.url().endsWith("/submission") && reads.push(request.url()));
    await page.reload();
    await page.getByRole("group", { name: "main.py" }).getByText("print(int(input()) * 3)").waitFor();
    assert.equal(reads.length, 1, "the program and the tests' inputs come with one answer, so they appear together");
    assert.match(
      await page.locator(".result .test").first().innerText(),
      /Arguments\s+\[2\]\s+Expected value\s+4\s+Returned value\s+6/,
    );
    assert.match(await page.title(), /^Submission …/);
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download", exact: true }).click(),
    ]);
    assert.equal(saved.suggestedFilename(), "main.py");
    assert.equal(await readFile(await saved.path(), "utf8"), "print(int(input()) * 3)");
    await inspect("evaluation");
    await page.goto(`${url}/#/trainings/train_none`);
    await heading("Not found");
    await page.goto(`${url}/#/evaluate`);
    await page.getByText("Reads input, prints output").click();
  });

  await step("text from a program stays text", async () => {
    await page.getByLabel("Name").first().fill("<b>x</b>");
    await page.getByRole("button", { name: "Submit" }).click();
    const name = page.getByLabel("Name").first();
    await page.locator("#tests").waitFor();
    await page.locator(".test-fields [aria-invalid=true]").waitFor();
    assert.equal(await name.getAttribute("aria-invalid"), "true", "the API's error is at its field");
    assert.equal(await name.evaluate((element) => element === document.activeElement), true);
    await shot("field-error");
    await name.fill("t1");
    await page.locator(".test-fields").first().getByLabel("Input").fill("2\n");
    await page.locator(".test-fields").first().getByLabel("Expected output").fill("<img src=x onerror=alert(1)>");
    await page.getByRole("button", { name: "Submit" }).click();
    await page.locator(".result pre", { hasText: "<img src=x" }).waitFor();
    await expectCount(page.locator(".result img"), 0);
  });

  await step("a training that cannot be is refused at its field", async () => {
    await page.getByRole("link", { name: "Train a policy" }).first().click();
    await heading("Train a policy");
    await page.getByText("Observations").waitFor();
    await inspect("train");
    await page.getByRole("heading", { name: "Advanced" }).click();
    await page.getByRole("button", { name: "Set a hyperparameter" }).click();
    await page.getByLabel("Name").fill("learning_rat");
    await page.getByLabel("Value").fill("lin_0.001");
    await page.getByRole("button", { name: "Start training" }).click();
    await page.locator(".error", { hasText: "learning_rate" }).waitFor();
    await page.getByRole("alert").getByText("Correct the marked field.").waitFor();
    await expectCount(page.getByText("did you mean"), 1, "an error is shown once");
    await shot("train-refused");
    await page.getByLabel("Name").fill("learning_rate");
    await page.getByLabel("Env steps").fill("");
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByText("give at least one of env_steps").first().waitFor();
  });

  await step("a reward function is written in the form or chosen, and removed", async () => {
    await page.getByText("Train on a reward function of your own").click();
    await page.getByRole("button", { name: "Write one here" }).click();
    const editor = page.getByRole("textbox", { name: "Reward function, in Python" });
    await editor.getByText("the environment's own").waitFor();
    await inspect("train-reward");
    await page.setViewportSize({ width: 390, height: 844 });
    await inspect("train-reward-phone");
    await page.setViewportSize({ width: 1360, height: 900 });
    const buffer = Buffer.from("def shaped(*step):\n    return step[3] / 2\n");
    const file = { name: "shaped.py", mimeType: "text/x-python", buffer };
    await page.getByLabel("File of the reward function").setInputFiles([file]);
    await editor.getByText("step[3] / 2").waitFor();
    assert.equal(await page.getByLabel("Function", { exact: true }).inputValue(), "shaped");
    await page.getByRole("button", { name: "Remove it" }).click();
    await expectCount(editor, 0);
  });

  let training = "";
  await step("a simulated training runs, live", async () => {
    await page.getByLabel("Env steps").fill("409600");
    await page.getByLabel("Mean episode return").fill("600");
    await page.getByText("Trains nothing: for trying").click();
    await page.getByLabel("Simulated iteration (s)").fill("0.05");
    await page.getByRole("button", { name: "Start the simulated training" }).click();
    await heading(/CartPole-v1/);
    training = page.url().split("/").at(-1);
    await status("running");
    await page.getByText("Simulated: nothing is trained.").waitFor();
    await page.locator(".chart canvas").first().waitFor();
    await page.getByText("Checkpoint saved at iteration 20").waitFor();
  });

  await step("it is paused and goes on", async () => {
    await page.getByRole("button", { name: "Pause" }).click();
    await status("paused");
    const at = await page.locator(".numbers").innerText();
    await page.waitForTimeout(500);
    assert.equal(await page.locator(".numbers").innerText(), at, "nothing moves while it is paused");
    await inspect("training-paused");
    await page.getByRole("button", { name: "Resume" }).click();
    await status("running");
  });

  await step("the list follows it", async () => {
    await page.getByRole("link", { name: "Runs" }).click();
    const row = page.locator("table.runs").first().locator("tbody tr").first();
    await row.locator(".badge", { hasText: "running" }).waitFor();
    const before = await row.locator(".meter").innerText();
    await page.waitForFunction((text) => document.querySelector("table.runs .meter")?.innerText !== text, before);
    await inspect("runs");
    await row.getByRole("link").click();
    await heading(/CartPole-v1/);
  });

  await step("it succeeds, and no event is lost or doubled over all reconnects", async () => {
    await status("succeeded");
    await page.getByText("Succeeded: env steps reached").waitFor();
    const events = (await (await api(`trainings/${training}/events`)).text()).match(/^id: (\d+)$/gm).length;
    await page.getByText(`${events} events`).waitFor();
    const rows = await page.locator(".journal li").allInnerTexts();
    const iterations = rows.flatMap((row) => [...row.matchAll(/Iterations? (\d+)(?:–(\d+))?,/g)]);
    const spans = iterations.map(([, first, last]) => [Number(first), Number(last ?? first)]).reverse();
    assert.equal(spans[0][0], 1);
    for (const [index, [first]] of spans.entries()) {
      if (index > 0) assert.equal(first, spans[index - 1][1] + 1, `iterations go on at ${first}`);
    }
    assert.equal(spans.at(-1)[1], 200);
    assert(sockets >= 4, `the streams were resumed, over ${sockets} connections in all`);
    await inspect("training-succeeded");
  });

  await step("an episode is watched, and read step by step", async () => {
    const card = page.locator(".episodes");
    const slider = card.getByLabel("Step of the episode");
    await slider.focus();
    await page.keyboard.press("ArrowRight");
    assert.match(await slider.getAttribute("aria-valuetext"), /^step 2 of \d+, reward 1, action 0$/);
    await card.getByText(/return so far 2$/).waitFor();
    await card.getByText("Observation").click();
    await card.locator(".values li").nth(3).waitFor();
    await card
      .getByRole("button", { name: /^Worst|^First/ })
      .first()
      .click();
    await card.getByRole("button", { name: "Watch episode" }).click();
    const video = card.locator("video");
    await video.waitFor();
    await page.waitForFunction(() => document.querySelector(".episodes video")?.videoWidth === 600);
    await card.getByText(/^Step/).waitFor();
    await expectCount(card.getByText("differs"), 0, "the replay is exact");
    await inspect("training-episode");
    await page.setViewportSize({ width: 390, height: 844 });
    await inspect("training-episode-phone");
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(overflow <= 0, `the page is ${overflow} px too wide for a phone`);
    await page.setViewportSize({ width: 1360, height: 900 });
  });

  await step("a checkpoint is downloaded, and another training begins from it", async () => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page
        .getByRole("button", { name: /Download the checkpoint/ })
        .first()
        .click(),
    ]);
    assert.match(download.suggestedFilename(), /^ckpt_\w+\.tar$/);
    const magic = (await readFile(await download.path())).subarray(257, 262).toString();
    assert.equal(magic, "ustar");
    await page
      .getByRole("link", { name: /Continue training from iteration/ })
      .first()
      .click();
    await heading("Continue training");
    await page.getByText("which has done 409,600 env steps").waitFor();
    const steps = page.getByLabel("More env steps");
    assert.equal(await steps.inputValue(), "409600", "as many steps again");
    await page.getByText("409,600 are done: 819,200 in all").waitFor();
    await inspect("train-continue");
    await page.getByLabel("Iterations", { exact: true }).fill("200");
    await page.getByRole("button", { name: "Start the simulated training" }).click();
    await page.getByText("The checkpoint has done 200 iterations already").waitFor();
    await page.getByLabel("Iterations", { exact: true }).fill("");
    await steps.fill("409600000"); // it is stopped below, and must not end before
    await page.getByRole("button", { name: "Start the simulated training" }).click();
    await status("running");
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Keep training" }).click();
    await page.getByRole("button", { name: "Stop" }).click();
    await inspect("training-stop");
    await page.getByRole("button", { name: "Stop training" }).click();
    await status("stopped");
    await page.getByRole("link", { name: "Train a policy" }).first().click();
    await heading("Train a policy");
    await expectCount(page.getByText("Continues from checkpoint"), 0, "the next training is one of its own");
  });

  await step("a training is cloned, and continued from its own page", async () => {
    await page.goto(`${url}/#/trainings/${training}`);
    await status("succeeded");
    await page.getByRole("link", { name: "Clone with changes" }).click();
    await heading("Train a policy");
    await page.getByText("from the beginning").waitFor();
    assert.equal(await page.getByLabel("Env steps", { exact: true }).inputValue(), "409600");
    assert.equal(await page.getByLabel("Mean episode return").inputValue(), "600");
    await page.getByRole("button", { name: "Clear the form" }).click();
    assert.equal(await page.getByLabel("Env steps", { exact: true }).inputValue(), "100000");
    await page.goto(`${url}/#/trainings/${training}`);
    await page.getByRole("link", { name: "Continue training", exact: true }).click();
    await heading("Continue training");
    await page.getByText("which has done 409,600 env steps").waitFor();
    await page.getByRole("button", { name: "Start from scratch instead" }).click();
    await heading("Train a policy");
  });

  await step("an environment is found by typing and chosen by keyboard, with its preset's steps", async () => {
    const field = page.getByRole("combobox", { name: "Environment" });
    const options = page.locator(".picker").getByRole("option");
    await field.click();
    await options.filter({ hasText: "Acrobot-v1" }).waitFor();
    await inspect("environment-picker");
    await page.keyboard.press("Escape");
    await expectCount(options, 0);
    await page.getByLabel("Env steps", { exact: true }).fill("100000");
    await field.fill("pend");
    await expectCount(options, 1);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    assert.equal(await field.inputValue(), "Pendulum-v1");
    await heading("Train a policy");
    await page.locator(".facts").getByText("Box(", { exact: false }).first().waitFor();
    await field.fill("CartPole-v1");
    await page.keyboard.press("Escape");
  });

  await step("it is usable on a phone and by keyboard", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await shot("phone-training");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert(wide <= 0, `the page is ${wide} px wider than a phone`);
    await page.goto(`${url}/#/evaluate`);
    await heading("Evaluate code");
    await shot("phone-evaluate");
    await page.goto(evaluation);
    await page.locator(".result .test").first().waitFor();
    assert.equal(await page.evaluate(() => window.scrollY), 0, "a page begins at its top");
    await page.goto(`${url}/#/evaluate`);
    await page.setViewportSize({ width: 1360, height: 900 });
    await page.reload();
    await heading("Evaluate code");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.className), "skip");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
  });

  await step("trainings that are ticked in the list are compared, and the link keeps the view", async () => {
    await page.getByRole("link", { name: "Runs" }).click();
    const ticks = page.getByRole("checkbox", { name: /^Compare / });
    await ticks.first().check();
    await page.getByRole("link", { name: "Compare 1 training" }).click();
    await heading("Compare trainings");
    await page.getByRole("img", { name: /episode_return_mean over env steps\. .*latest/ }).waitFor();
    await page.getByLabel("Logarithmic y").check();
    await page.reload();
    assert(await page.getByLabel("Logarithmic y").isChecked());
    const beginnings = { CSV: "group,run,seed,env_steps", SVG: "<svg", PNG: "\x89PNG" };
    for (const [kind, beginning] of Object.entries(beginnings)) {
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: `Save as ${kind}` }).click(),
      ]);
      assert.equal(file.suggestedFilename(), `comparison-rollout-episode-return-mean.${kind.toLowerCase()}`);
      const content = (await readFile(await file.path())).toString("latin1");
      assert(content.startsWith(beginning), `${kind} begins with ${content.slice(0, 30)}`);
    }
    await inspect("compare");
  });

  await step("staff see who submitted a run, and find what somebody submitted", async () => {
    const answer = await fetch(`${url}/v1/evaluations`, {
      method: "POST",
      headers: { Authorization: `Bearer ${learner}`, "Content-Type": "application/json" },
      body: JSON.stringify({ source: "print(1)", tests: [{ id: "t1" }] }),
    });
    const { id } = await answer.json();
    await page.goto(`${url}/#/runs`);
    await heading("Runs");
    const rows = page.getByRole("table", { name: "Evaluations" }).locator("tbody tr");
    await rows.filter({ hasText: "by you" }).first().waitFor();
    await rows.filter({ hasText: "by learner" }).first().waitFor();
    await inspect("runs-submitters");
    await page.getByLabel("Submitter of evaluations").selectOption({ label: "By learner" });
    await rows.filter({ hasText: "by you" }).first().waitFor({ state: "detached" });
    await expectCount(rows, 1);
    await page.goto(`${url}/#/evaluations/${id}`);
    await page.getByText(/^Submitted by learner, /).waitFor();
  });

  await step("a learner who may not train is told so, instead of being refused at the end", async () => {
    page.once("dialog", (dialog) => dialog.dismiss());
    await page.goto(`${url}/#key=${learner}&/runs`);
    await heading("Runs");
    await page.getByRole("link", { name: "Train a policy" }).first().waitFor();
    page.once("dialog", (dialog) => dialog.accept());
    await page.goto(`${url}/#key=${learner}&/train`);
    await heading("Train a policy");
    await page.getByText("Your API key cannot start trainings").waitFor();
    await expectCount(page.getByRole("button", { name: /Start/ }), 0);
    await inspect("train-not-allowed");
    await page.goto(`${url}/#/runs`);
    await heading("Runs");
    await expectCount(page.getByRole("link", { name: "Train a policy" }), 0);
  });

  await step("where learners only submit to assignments, they are not offered to evaluate code", async () => {
    const set = (learners_evaluate_freely) => {
      const headers = { "Content-Type": "application/json" };
      return api("course", { method: "PUT", headers, body: JSON.stringify({ learners_evaluate_freely }) });
    };
    const offers = page.getByRole("link", { name: "Evaluate code" });
    await expectCount(offers, 2, "in the navigation and beside the heading");
    await set(false);
    await page.reload();
    await heading("Runs");
    await page.getByRole("link", { name: "Assignments" }).waitFor();
    await offers.first().waitFor({ state: "detached" });
    await expectCount(offers, 0);
    await page.goto(`${url}/#/evaluate`);
    await page.getByText("Learners of this course do not evaluate programs of their own").waitFor();
    await inspect("evaluate-not-allowed");
    await set(true);
    await page.goto(`${url}/#/runs`);
    await page.reload();
    await offers.first().waitFor();
  });

  await step("signing out forgets the key", async () => {
    await page.getByRole("button", { name: "Sign out" }).click();
    await heading("Sign in");
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await page.goto(`${url}/#/runs`);
    await heading("Sign in");
  });
} finally {
  await browser.close();
}
