/**
 * Measures frames of the compare page with 50 runs of 5,000 points each: `python -m tests.benchmarks.compare_frames`.
 * The platform's answer is replaced by one of that size; the platform itself would send 500 points a run. Prints a line of
 * JSON for each interaction: milliseconds between frames, and processor time of all of Chromium's processes for each call of
 * what is measured, which a busy machine changes less.
 */
import { browser, heading, key, page, shot, url } from "./harness.mjs";

const [RUNS, POINTS, SEEDS] = [50, 5_000, 5];
const SECONDS = 4;

function comparison() {
  const x = Array.from({ length: POINTS }, (_, index) => 2_048 * (index + 1));
  const noise = (seed) => {
    let state = seed + 1;
    return () => {
      state = (state * 16_807) % 2_147_483_647;
      return state / 2_147_483_647 - 0.5;
    };
  };
  const groups = Array.from({ length: RUNS / SEEDS }, (_, group) => {
    const runs = Array.from({ length: SEEDS }, (_, seed) => {
      const random = noise(group * SEEDS + seed);
      const y = x.map((_, index) => 200 * (1 - Math.exp((-index * (group + 1)) / 4_000)) + 30 * random());
      const id = `train_${group}_${seed}`;
      return { id, name: null, seed, state: "succeeded", x, y, evaluations: [] };
    });
    const iqm = x.map((_, index) => runs.reduce((sum, run) => sum + run.y[index], 0) / SEEDS);
    const band = { x, iqm, low: iqm.map((y) => y - 8), high: iqm.map((y) => y + 8), runs: x.map(() => SEEDS) };
    return { title: `learning_rate ${group + 1}e-4`, band, runs, final: null, evaluation: null };
  });
  return { groups, settings: [], metric: "rollout/episode_return_mean", metrics: [], x: "env_steps", left_out: 0 };
}

const processes = await browser.newBrowserCDPSession();

/** Seconds of processor time of all of Chromium's processes. */
async function processorTime() {
  const { processInfo } = await processes.send("SystemInfo.getProcessInfo");
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

/** Milliseconds between the frames of `seconds` during which `act` is called again and again. */
async function measured(name, act) {
  await page.evaluate(() => {
    globalThis.frames_ms = [];
    let last = performance.now();
    const frame = (now) => {
      globalThis.frames_ms.push(now - last);
      last = now;
      globalThis.frame = requestAnimationFrame(frame);
    };
    globalThis.frame = requestAnimationFrame(frame);
  });
  const before = await processorTime();
  const until = Date.now() + SECONDS * 1_000;
  let turns = 0;
  while (Date.now() < until) await act(turns++);
  const cpu = Number(((1_000 * ((await processorTime()) - before)) / turns).toFixed(1));
  const frames = await page.evaluate(() => {
    cancelAnimationFrame(globalThis.frame);
    return globalThis.frames_ms.slice(1).sort((a, b) => a - b);
  });
  const at = (part) => Number(frames[Math.min(frames.length - 1, Math.floor(part * frames.length))].toFixed(1));
  console.log(
    JSON.stringify({ interaction: name, frames: frames.length, p50: at(0.5), p95: at(0.95), most: at(1), cpu }),
  );
}

try {
  const body = JSON.stringify(comparison());
  await page.route("**/v1/compare*", (route) => route.fulfill({ contentType: "application/json", body }));
  await page.goto(`${url}/#key=${key}&/compare?label=study=lr&runs=1`);
  await heading("Compare trainings");
  const chart = page.locator(".compared-chart");
  await chart.getByText(`learning_rate ${RUNS / SEEDS}e-4 – `).waitFor();
  await shot("compare-50-runs");
  const box = await chart.boundingBox();
  await measured("idle", () => page.waitForTimeout(100));
  await measured("pointer over the curves", (turn) =>
    page.mouse.move(box.x + 80 + ((turn * 7) % (box.width - 120)), box.y + 100),
  );
  const slider = page.getByRole("slider");
  await slider.focus();
  await measured("smoothing", (turn) => page.keyboard.press(turn % 160 < 80 ? "ArrowRight" : "ArrowLeft"));
  const boxes = page.locator("table[aria-labelledby=groups] input");
  await measured("a group hidden and shown", (turn) => boxes.nth(turn % 4).click());
} finally {
  await browser.close();
}
