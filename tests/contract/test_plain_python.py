"""A program ends in the sandbox as it does under plain ``python3 main.py``: same stdout, same exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rlplatform.sandbox.models import Execution, Limits, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

FILES = sorted((Path(__file__).parent / "cases").glob("*.jsonl"))
CASES = [json.loads(line) for path in FILES for line in path.read_text().splitlines()]
PROGRAMS = [case for case in CASES if case["id"].partition("/")[0] in ("flush", "exit", "python")]
PYTHON = os.path.realpath(sys.executable)


def plain(folder: Path, source: str, stdin: bytes) -> tuple[bytes, int]:
    """Stdout and exit status under the interpreter of the tests; a signal's number is negative."""
    (folder / "main.py").write_text(source)
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    done = subprocess.run(
        [PYTHON, "main.py"], cwd=folder, env=environment, input=stdin, capture_output=True, timeout=60
    )
    return done.stdout, done.returncode


def sandboxed(pool: DockerPool, source: str, stdin: bytes) -> tuple[bytes, int]:
    sandbox = pool.open(Program({"main.py": source.encode()}), Limits(), Tier.SINGLE_USE)
    try:
        outcome = sandbox.run(Execution(Limits(), stdin))
    finally:
        sandbox.close()
    if outcome.signal is not None:
        return outcome.stdout, -signal.Signals[outcome.signal]
    assert outcome.exit_code is not None, outcome
    return outcome.stdout, outcome.exit_code


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in PROGRAMS])
def test_program_ends_as_under_plain_python(docker_pool: DockerPool, tmp_path: Path, case: dict) -> None:
    source, stdin = case["request"]["source"], case["request"]["tests"][0]["stdin"].encode()
    assert sandboxed(docker_pool, source, stdin) == plain(tmp_path, source, stdin)


ENDINGS = {
    "a thread is joined": """
import threading, time
threading.Thread(target=lambda: (time.sleep(0.2), print("late"))).start()
print("main")
""",
    "a thread of a forked child is joined": """
import os, threading, time
child = os.fork()
if child == 0:
    threading.Thread(target=lambda: (time.sleep(0.2), print("child", flush=True))).start()
else:
    os.waitpid(child, 0)
    print("parent")
""",
    "a callback of atexit finds the main thread stopped": """
import atexit, threading
atexit.register(lambda: print(threading.main_thread().is_alive()))
""",
    "a finalizer finds the main thread stopped": """
import threading
class Object:
    def __del__(self, main=threading.main_thread()): print("stopped", not main.is_alive())
kept = Object()
""",
    "a callback of threading is called": """
import threading
threading._register_atexit(print, "end")
print("main")
""",
    "an executor ends its work": """
from concurrent.futures import ThreadPoolExecutor
import time
ThreadPoolExecutor(2).submit(lambda: (time.sleep(0.2), print("done")))
""",
    "there are no streams": """
import sys
print("before")
del sys.stdout, sys.stderr
""",
    "nothing is shadowed by the program's own name": """
import sys
print("main" in sys.modules, __name__, __file__.rpartition("/")[2], __spec__, __loader__.name)
""",
}


@pytest.mark.parametrize("what", ENDINGS)
def test_end_of_a_program_is_as_under_plain_python(docker_pool: DockerPool, tmp_path: Path, what: str) -> None:
    assert sandboxed(docker_pool, ENDINGS[what], b"") == plain(tmp_path, ENDINGS[what], b"")
