"""Frames of the page that compares trainings, with 50 runs of 5,000 points each, in headless Chromium.

    cd serve_apps/web && npm run build && cd ../..
    python -m tests.benchmarks.compare_frames

Prints, and writes to ``results/compare_frames.md``, the milliseconds between frames while nothing happens, the pointer
moves over the curves, the smoothing changes, and groups are hidden and shown; and the processor time that one of these
takes in all of Chromium's processes. Headless Chromium draws in software.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.local import serving

WEB = Path(__file__).parents[2] / "serve_apps/web"
COLUMNS = ("interaction", "frames", "p50", "p95", "most", "cpu")
RESULTS = Path(__file__).parent / "results/compare_frames.md"


async def main() -> None:
    async with serving() as local:
        environment = os.environ | {"RLP_URL": local.url, "RLP_KEY": local.key, "RLP_LEARNER": local.learner}
        environment.setdefault("CHROMIUM", shutil.which("chromium") or "")
        browser = await asyncio.create_subprocess_exec(
            "node", "e2e/compare-frames.mjs", cwd=WEB, env=environment, stdout=subprocess.PIPE
        )
        output, _ = await browser.communicate()
    if browser.returncode:
        sys.exit(browser.returncode)
    rows = [json.loads(line) for line in output.decode().splitlines()]
    table = [
        "| interaction | frames | median (ms) | 95th percentile (ms) | longest (ms) | processor time of each (ms) |",
        "| --- | --: | --: | --: | --: | --: |",
        *(f"| {' | '.join(str(row[name]) for name in COLUMNS)} |" for row in rows),
    ]
    load = f"{os.cpu_count()} cores with a load of {os.getloadavg()[0]:.0f}"
    head = ["# Frames of the compare page", "", f"50 runs of 5,000 points each, {load}.", ""]
    RESULTS.write_text("\n".join([*head, *table]) + "\n")
    print("\n".join(table))


if __name__ == "__main__":
    asyncio.run(main())
