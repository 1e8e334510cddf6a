"""A course on a platform to kill: members submit, staff regrade, and every evaluation is counted in the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any
from uuid import uuid4

import httpx2 as httpx

from rlplatform.assignments.grading.evaluations import rejudged_id
from rlplatform.assignments.grading.regrading import TRIES
from tests.chaos import invariants
from tests.chaos.invariants import Log
from tests.chaos.rig import Rig

NAME = "power"
ENTRY = "main.py"
TWICE, SQUARE = "def power(x):\n    return 2 * x\n", "def power(x):\n    return x * x\n"
FINISHED = "evaluation.finished"


def definition(expected: int, **more: Any) -> dict[str, Any]:
    """An assignment of one hidden test: of 3, ``TWICE`` makes 6 and ``SQUARE`` makes 9."""
    return {
        "title": "Power",
        "statement": "Write `power(x)`.",
        "grader": {"kind": "function", "entry": "power"},
        "tests": [{"id": "three", "args": [3], "expected": expected, "hidden": True}],
    } | more


class KilledCourse:
    """A course whose members are ``learners`` people with a key each."""

    def __init__(self, rig: Rig, learners: int) -> None:
        self.rig = rig
        rows = [{"external_id": f"s{number:04}", "name": f"Learner {number}"} for number in range(learners)]
        made = rig.call("POST", "/v1/members:import", members=rows, credentials="keys")["results"]
        self.keys = [row["api_key"] for row in made]
        self.submitted: list[str] = []

    def publish(self, expected: int, **more: Any) -> None:
        self.rig.call("PUT", f"/v1/assignments/{NAME}", **definition(expected, **more))

    def client(self, learner: int) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.keys[learner]}"}
        return httpx.Client(base_url=self.rig.local["url"], headers=headers, timeout=30)

    def submit(self, learner: int, source: str, client: httpx.Client | None = None) -> dict[str, Any]:
        """Submit a program of its own; tried again under the same key while the platform cannot answer."""
        mark = uuid4().hex
        body = {"files": [{"path": ENTRY, "content": f"{source}# {mark}\n"}]}
        deadline = time.monotonic() + 60
        with self.client(learner) if client is None else nullcontext(client) as http:
            while time.monotonic() < deadline:
                try:
                    answer = http.post(
                        f"/v1/assignments/{NAME}/submissions", json=body, headers={"Idempotency-Key": mark}
                    )
                except httpx.HTTPError:
                    time.sleep(0.1)
                    continue
                if answer.status_code == 202:
                    made: dict[str, Any] = answer.json()
                    self.submitted.append(made["id"])
                    return made
                assert answer.status_code >= 500, answer.text
                time.sleep(0.1)
        raise AssertionError("a submission was not accepted within 60 s")

    def submit_all(self, each: int, sources: Sequence[str], at_once: int = 4) -> None:
        """``each`` submissions of every learner; learner ``n`` sends ``sources[n % len(sources)]``."""

        def all_of(learner: int) -> None:
            with self.client(learner) as http:
                for _ in range(each):
                    self.submit(learner, sources[learner % len(sources)], http)

        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(all_of, range(len(self.keys))))

    def await_graded(self, timeout_s: float) -> None:
        """Wait until no submission is pending."""

        def graded() -> bool:
            items = self.submissions()
            assert not [item for item in items if item["state"] == "failed"]
            return all(item["state"] == "graded" for item in items)

        assert self.wait(graded, timeout_s, every_s=1.0 if len(self.submitted) < 1000 else 5.0)

    def submissions(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.rig.call("GET", f"/v1/assignments/{NAME}/submissions")["items"]
        return items

    def grades(self) -> dict[str, float | None]:
        """Points by external id."""
        items = self.rig.call("GET", f"/v1/assignments/{NAME}/grades")["items"]
        return {row["external_id"]: row["points"] for row in items}

    # -- regrades ------------------------------------------------------------------------------------------------------

    def regrade(self, **request: Any) -> str:
        return str(self.rig.call("POST", f"/v1/assignments/{NAME}:regrade", **request)["id"])

    def report(self, regrade: str, action: str = "") -> dict[str, Any]:
        where = f"/v1/assignments/{NAME}/regrades/{regrade}{action}"
        return self.rig.call("POST" if action else "GET", where)

    def judged(self, regrade: str) -> int:
        """How many evaluations of a regrade have ended, by the store itself."""
        return len(self._evaluations(self.rig.logs(), regrade))

    def nothing_is_judged_twice(self, regrade: str, judged: Sequence[str] | None = None) -> int:
        """Check that a regrade has judged each submission of ``judged`` once, by default all, and no other; return how
        many evaluations were tried again because their evaluator was lost."""
        logs = self.rig.logs()
        ended = self._evaluations(logs, regrade)
        assert sorted(ended) == sorted(judged or self.submitted), f"{len(ended)} submissions have one end each"
        for log in ended.values():
            invariants.check_evaluation(log, None)
        invariants.check_numbers(logs[f"assignments/{regrade}"])
        return sum(any(event["type"] == "evaluation.retried" for event in log) for log in ended.values())

    def _evaluations(self, logs: Mapping[str, Log], regrade: str) -> dict[str, Log]:
        """Logs of the finished evaluations of a regrade, by submission."""
        found: dict[str, Log] = {}
        for submission in self.submitted:
            ids = [rejudged_id(regrade, submission, tried) for tried in range(TRIES)]
            ends = [log for one in ids if (log := logs.get(f"evaluations/{one}")) and log[-1]["type"] == FINISHED]
            assert len(ends) < 2, f"{submission} was judged {len(ends)} times"
            if ends:
                found[submission] = ends[0]
        return found

    @staticmethod
    def wait(check: Callable[[], bool], timeout_s: float, every_s: float = 0.1) -> bool:
        deadline = time.monotonic() + timeout_s
        while not check():
            if time.monotonic() > deadline:
                return False
            time.sleep(every_s)
        return True
