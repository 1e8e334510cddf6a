"""Clients of a platform whose parts die: they follow streams and submit programs, without any of our client's code."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx2 as httpx

from tests.chaos.invariants import FINAL

RETRY_S = 0.1
PATIENCE_S = 300.0
TIMEOUT = httpx.Timeout(5.0, read=20.0)
PROGRAM = "import time\ntime.sleep({seconds})\nprint(int(input()) * 2)"

Connect = Callable[[], httpx.Client]


class Follower(threading.Thread):
    """Reads a stream over SSE to its end. It resumes where it was when its connection breaks, and if ``every`` is given
    also of its own accord, after so many events. ``seen`` are the events; ``connections`` is how many it took;
    ``breaks`` tells why those ended that it did not end."""

    def __init__(self, connect: Connect, stream: str, *, every: int | None = None) -> None:
        super().__init__(daemon=True, name=f"follow-{stream}")
        self.seen: list[dict[str, Any]] = []
        self.connections = 0
        self.breaks: list[str] = []
        self.last_at = 0.0
        self._connect = connect
        self._path = f"/v1/{stream}/events"
        self._every = every
        self._left = threading.Event()
        self.start()

    def run(self) -> None:
        with self._connect() as http:
            while not self._left.is_set() and not self.over:
                try:
                    self._read(http)
                except (httpx.HTTPError, ValueError) as error:
                    self.breaks.append(repr(error))
                time.sleep(RETRY_S)

    @property
    def over(self) -> bool:
        return bool(self.seen) and self.seen[-1]["type"] in FINAL

    def _read(self, http: httpx.Client) -> None:
        headers = {"Last-Event-ID": str(self.seen[-1]["seq"])} if self.seen else {}
        with http.stream("GET", self._path, headers=headers, timeout=TIMEOUT) as response:
            response.raise_for_status()
            self.connections += 1
            number, got = 0, 0
            for line in response.iter_lines():
                if line.startswith("id: "):
                    number = int(line[4:])
                elif line.startswith("data: "):
                    event = json.loads(line[6:])
                    if "seq" not in event:  # a problem document: the stream cannot go on here, and is resumed
                        self.breaks.append(line)
                        return
                    assert event["type"] == "stream.gap" or event["seq"] == number
                    self.seen.append(event)
                    self.last_at = time.monotonic()
                    got += 1
                if self._left.is_set() or self.over or got == self._every:
                    return

    def leave(self) -> None:
        self._left.set()

    def finish(self, timeout_s: float = 60.0) -> list[dict[str, Any]]:
        """Return all events, when the stream has ended."""
        self.join(timeout_s)
        assert not self.is_alive(), f"{self._path} did not end within {timeout_s:g} s: {self.seen[-1:]}"
        return self.seen


class Feeder(threading.Thread):
    """Submits a program every ``period_s`` seconds until :meth:`stop`, and again and again until it is taken.

    ``taken`` are the ids of those that were, in order; ``refused`` how often one was not; ``told`` is the last answer.
    """

    def __init__(self, connect: Connect, *, period_s: float = 0.5, seconds: float = 0.4) -> None:
        super().__init__(daemon=True, name="feed")
        self.taken: list[str] = []
        self.refused = 0
        self.errors: list[str] = []
        self.told = ""
        self._connect = connect
        self._period_s = period_s
        self._source = PROGRAM.format(seconds=seconds)
        self._stopped = threading.Event()
        self.start()

    def run(self) -> None:
        with self._connect() as http:
            while not self._stopped.is_set():
                self._submit(http)
                self._stopped.wait(self._period_s)

    def _submit(self, http: httpx.Client) -> None:
        tests = [{"id": f"t{n}", "stdin": f"{n}\n", "expected_stdout": f"{2 * n}\n"} for n in range(2)]
        body = {"source": self._source, "tests": tests, "limits": {"wall_time_s": 10}}
        headers = {"Idempotency-Key": uuid4().hex}
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                answer = http.post("/v1/evaluations", json=body, headers=headers, timeout=TIMEOUT)
            except httpx.HTTPError as error:
                answer, self.told = None, repr(error)
            else:
                self.told = answer.text
            if answer is not None and answer.status_code in (200, 202):
                self.taken.append(answer.json()["id"])
                return
            if answer is not None and 400 <= answer.status_code < 500 and answer.status_code != 429:
                self.errors.append(f"{answer.status_code}: {answer.text}")
                return
            self.refused += 1
            time.sleep(RETRY_S)
        self.errors.append(f"not taken within {PATIENCE_S:g} s")

    def stop(self) -> list[str]:
        """Stop submitting; return the ids of all accepted evaluations."""
        self._stopped.set()
        self.join(PATIENCE_S + 30)
        assert not self.errors, self.errors
        return self.taken
