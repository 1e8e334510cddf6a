"""Assignments under load: the minute before a deadline, and a regrade that is killed.

::

    python -m tests.benchmarks.assignments deadline [--learners 200]
    python -m tests.benchmarks.assignments regrade [--submissions 5000]

A platform of its own (``rlp serve``: Ray, Serve, the embedded store, sandboxes in Docker), with the clients on the same
machine. A run ends with an error if the regrade judges a submission twice or not at all. Waits are from the acceptance
of a submission to its grade, by the times of the events in the store. Writes ``results/assignments_deadline.md`` or
``results/assignments_regrade.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.benchmarks import load
from tests.benchmarks.load import Target
from tests.chaos.course import ENTRY, NAME, SQUARE, TWICE, KilledCourse
from tests.chaos.invariants import Log
from tests.chaos.rig import Rig

RESULTS = Path(__file__).parent / "results"
MINUTE_S = 60.0
PAGE = ("/", "/v1/assignments", f"/v1/assignments/{NAME}", f"/v1/assignments/{NAME}/submissions")
LEARNERS = 200
LIVE_EVERY_S = 0.25
QUIET_S = 30.0


def waits(logs: Mapping[str, Log], submissions: set[str]) -> list[float]:
    """Seconds from the acceptance of each of ``submissions`` to its grade."""
    accepted: dict[str, datetime] = {}
    graded: dict[str, datetime] = {}
    for stream, log in logs.items():
        if stream.startswith("assignments/work_"):
            for event in log:
                if event["type"] == "work.submitted":
                    accepted[event["submission"]["id"]] = datetime.fromisoformat(event["time"])
                elif event["type"] == "work.graded":
                    graded[event["submission_id"]] = datetime.fromisoformat(event["time"])
    return [(graded[one] - accepted[one]).total_seconds() for one in submissions]


async def minute_before_deadline(course: KilledCourse) -> list[str]:
    """Let every learner submit once, at a random time of one minute; return the rows of the result."""
    url, rng = course.rig.local["url"], random.Random(1)
    begins = datetime.now(UTC) + timedelta(seconds=2)
    due = begins + timedelta(seconds=MINUTE_S)
    course.publish(6, due_at=due.isoformat(), late={"per_day": 0.5})
    took: list[float] = []
    pages: list[float] = []

    async def submit(key: str, after_s: float) -> tuple[datetime, int, str]:
        await asyncio.sleep((begins - datetime.now(UTC)).total_seconds() + after_s)
        sent, at = datetime.now(UTC), time.perf_counter()
        body = {"files": [{"path": ENTRY, "content": f"{TWICE}# {after_s}\n"}]}
        answer = await load.ask(Target(url, key), "POST", f"/v1/assignments/{NAME}/submissions", body)
        took.append(time.perf_counter() - at)
        return sent, answer.status, answer.json().get("id", "")

    async def look() -> None:
        while datetime.now(UTC) < due:
            at = time.perf_counter()
            answer = await load.ask(Target(url, rng.choice(course.keys)), "GET", rng.choice(PAGE))
            assert answer.status == 200, answer
            pages.append(time.perf_counter() - at)
            await asyncio.sleep(0.1)

    each = [submit(key, rng.uniform(0, MINUTE_S - 0.01)) for key in course.keys]
    *sent, _ = await asyncio.gather(*each, look())
    course.submitted += [made for _, status, made in sent if status == 202]
    await asyncio.to_thread(course.await_graded, 900)
    stored = {item["id"]: item for item in await asyncio.to_thread(course.submissions)}
    lost = len(course.keys) - sum(made in stored for _, _, made in sent)
    wrongly_late = sum(
        (item["late_share"] > 0) != (datetime.fromisoformat(item["submitted_at"]) > due) for item in stored.values()
    )
    late = sum(item["late_share"] > 0 for item in stored.values())
    found = waits(await asyncio.to_thread(course.rig.logs), set(stored))
    return [
        f"| submissions lost, of {len(course.keys)} | {lost} |",
        f"| accepted after the due date, and late | {late} |",
        f"| late though accepted in time, or the reverse | {wrongly_late} |",
        "| acceptance, p50 and p99 | {} ms, {} ms |".format(*load.percentiles(took)),
        f"| page and its requests while they submit, p50 and p99 of {len(pages)} | {{}} ms, {{}} ms |".format(
            *load.percentiles(pages)
        ),
        f"| wait for the grade, p50 and p99 | {_s(found)} |",
    ]


def killed_regrade(course: KilledCourse, submissions: int) -> list[str]:
    """Regrade all submissions with supervisor and evaluator killed on the way; return the rows of the result."""
    rig = course.rig
    live = len(course.keys) - 1
    course.publish(6, tier="jail")
    began = time.monotonic()
    course.keys, own_key = course.keys[:live], course.keys[live]
    course.submit_all(submissions // live, [TWICE, SQUARE])
    course.await_graded(1800)
    judged_s = time.monotonic() - began
    planned, before = list(course.submitted), course.grades()
    course.keys.append(own_key)
    print(f"{len(planned)} submissions judged within {judged_s:.0f} s", flush=True)

    def submit_while(going: Callable[[], bool]) -> set[str]:
        made = set()
        with closing(course.client(live)) as http:
            while going():
                made.add(course.submit(live, TWICE, http)["id"])
                time.sleep(LIVE_EVERY_S)
        return made

    quiet_until = time.monotonic() + QUIET_S
    quiet = submit_while(lambda: time.monotonic() < quiet_until)
    course.await_graded(60)
    already = len(course.submitted)
    course.publish(9, tier="jail")
    pids = [rig.actor(cls).pid for cls in ("SupervisorActor", "EvaluatorActor")]
    began = time.monotonic()
    regrade = course.regrade(dry_run=True)
    assert course.wait(lambda: course.report(regrade)["done"] >= submissions // 5, 900)
    rig.kill(*pids)
    at_kill = course.report(regrade)["done"]
    print(f"killed at {at_kill}", flush=True)
    assert course.wait(lambda: course.report(regrade)["done"] > at_kill + 100, 300)
    busy = submit_while(lambda: course.report(regrade)["state"] == "running")
    regraded_s = time.monotonic() - began
    retried = course.nothing_is_judged_twice(regrade, course.submitted[:already])
    report = course.report(regrade)
    assert {one: course.grades()[one] for one in before if one != f"s{live:04}"} == {
        one: points for one, points in before.items() if one != f"s{live:04}"
    }, "a dry run changes no grade"
    for _ in range(2):
        assert course.report(regrade, ":commit")["state"] == "committed"
    course.await_graded(120)
    logs = rig.logs()
    commits = sum(event["type"] == "regrade.committed" for event in logs[f"assignments/{regrade}"])
    return [
        f"| submissions in the regrade | {report['total']} |",
        f"| judged when supervisor and evaluator were killed | {at_kill} |",
        f"| evaluations that the lost evaluator had, tried again | {retried} |",
        f"| time of the regrade with the kill | {regraded_s:.0f} s |",
        f"| members who gain, members who lose | {report['gained']}, {report['lost']} |",
        f"| commits stored, of 2 sent | {commits} |",
        f"| wait of a live submission, p50 and p99, quiet ({len(quiet)}) | {_s(waits(logs, quiet))} |",
        f"| wait of a live submission, p50 and p99, beside the regrade ({len(busy)}) | {_s(waits(logs, busy))} |",
    ]


def _s(found: list[float]) -> str:
    return "{} ms, {} ms".format(*load.percentiles(found))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("deadline", "regrade"))
    parser.add_argument("--learners", type=int, default=LEARNERS)
    parser.add_argument("--submissions", type=int, default=5000)
    given = parser.parse_args()
    command = f"python -m tests.benchmarks.assignments {given.what} --learners {given.learners}"
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="rlp-assignments-") as folder:
        Path(folder).chmod(0o755)
        rig = Rig(Path(folder), {})
        try:
            rig.start()
            if given.what == "deadline":
                rows = asyncio.run(minute_before_deadline(KilledCourse(rig, given.learners)))
            else:
                command += f" --submissions {given.submissions}"
                rows = killed_regrade(KilledCourse(rig, given.learners + 1), given.submissions)
            rig.stop()
        finally:
            rig.close()
    title = "The minute before a deadline" if given.what == "deadline" else "A regrade that is killed"
    head = f"`{command}`, on {os.cpu_count()} cores; load average before the run: {before:.1f}."
    text = "\n".join([f"# {title}", "", head, "", "| | |", "| --- | --- |", *rows, ""])
    print(text)
    (RESULTS / f"assignments_{given.what}.md").write_text(text)


if __name__ == "__main__":
    main()
