"""Outcomes of programs in real containers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from rlplatform.errors import InvalidRequest
from rlplatform.sandbox.guest import values
from rlplatform.sandbox.models import Call, Execution, Limits, Outcome, OutcomeKind, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

Run = Callable[..., Outcome]


@pytest.fixture(params=[Tier.SINGLE_USE, Tier.JAIL])
def run(docker_pool: DockerPool, request: pytest.FixtureRequest) -> Run:
    def run(
        source: str | bytes,
        stdin: bytes = b"",
        call: Call | None = None,
        limits: Limits | None = None,
        files: dict[str, bytes] | None = None,
    ) -> Outcome:
        limits = limits or Limits()
        code = source.encode() if isinstance(source, str) else source
        sandbox = docker_pool.open(Program({"main.py": code} | (files or {})), limits, request.param)
        try:
            return sandbox.run(Execution(limits, stdin, call))
        finally:
            sandbox.close()

    return run


def test_streams_and_status_are_the_programs(run: Run) -> None:
    outcome = run(
        "import sys; print(sys.stdin.read(), end=''); print('e', file=sys.stderr); sys.exit(3)", b"\x00\xff\n"
    )
    assert (outcome.kind, outcome.exit_code, outcome.signal) == (OutcomeKind.EXITED, 3, None)
    assert (outcome.stdout, outcome.stderr) == (b"\x00\xff\n", b"e\n")


def test_stdout_is_heard_while_the_program_runs(docker_pool: DockerPool) -> None:
    heard: list[tuple[float, bytes]] = []
    sandbox = docker_pool.open(
        Program({"main.py": b"import time\nprint(1, flush=True)\ntime.sleep(0.5)\nprint(2)"}), Limits(), Tier.SINGLE_USE
    )
    outcome = sandbox.run(Execution(Limits()), None, lambda chunk: heard.append((time.monotonic(), chunk)))
    sandbox.close()
    said = [(at, chunk) for at, chunk in heard if chunk]
    assert [chunk for _, chunk in said] == [b"1\n", b"2\n"]
    assert outcome.stdout == b"1\n2\n"
    assert said[1][0] - said[0][0] > 0.4
    assert len(heard) > 10, "it is called while nothing comes, too"


def test_usage_is_metered(run: Run) -> None:
    outcome = run(
        "x = bytearray(64 << 20)\nimport time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
    )
    assert outcome.kind is OutcomeKind.EXITED
    assert 0.2 <= outcome.usage.cpu_time_s < 0.5
    assert outcome.usage.wall_time_s >= 0.2
    assert 64 << 20 <= outcome.usage.peak_memory_bytes < 80 << 20


def test_each_execution_meters_its_own_peak(docker_pool: DockerPool) -> None:
    program = Program({"main.py": b"x = bytearray(int(input()) << 20)"})
    sandbox = docker_pool.open(program, Limits(), Tier.SINGLE_USE)
    big = sandbox.run(Execution(Limits(), b"100")).usage.peak_memory_bytes
    small = sandbox.run(Execution(Limits(), b"1")).usage.peak_memory_bytes
    sandbox.close()
    assert big > 100 << 20
    assert small < 10 << 20


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("x = 1\nfor", "main.py, line 2"),
        ("if 1:\nx", "main.py, line 2"),
        ("a\0b", "main.py"),
        (b"\xff = 1", "main.py"),
        ("return 1", "main.py, line 1"),
    ],
)
def test_what_does_not_compile_is_told_with_its_line(run: Run, source: str | bytes, place: str) -> None:
    outcome = run(source)
    assert outcome.kind is OutcomeKind.COMPILE_FAILED
    assert outcome.detail is not None
    assert outcome.detail.startswith(place)
    assert b"Error" in outcome.stderr


def test_a_helper_that_does_not_compile_is_a_compile_failure_too(run: Run) -> None:
    outcome = run("import helper", files={"helper.py": b"\n\ndef f(:"})
    assert outcome.kind is OutcomeKind.COMPILE_FAILED
    assert outcome.detail is not None
    assert outcome.detail.startswith("helper.py, line 3")


def test_modules_and_data_of_the_submission_are_there(run: Run) -> None:
    files = {"pkg/__init__.py": b"", "pkg/deep/data.txt": b"42", "random.py": b"x = 'own'"}
    source = "import pkg, random; print(open('pkg/deep/data.txt').read(), random.x, __name__, __file__)"
    assert run(source, files=files).stdout == b"42 own __main__ /box/main.py\n"


def test_the_interpreter_is_as_usual(run: Run) -> None:
    source = (
        "import atexit, threading, time, sys\n"
        "atexit.register(print, 'at exit')\n"
        "threading.Thread(target=lambda: (time.sleep(.05), print('thread'))).start()\n"
        "sys.excepthook = lambda *a: print('hook', a[0].__name__)\n"
        "print(sys.argv, 'guest' in sys.modules, any('/opt' in p for p in sys.path), callable(exit))\n"
        "1 / 0\n"
    )
    outcome = run(source)
    assert outcome.stdout == b"['main.py'] False False True\nhook ZeroDivisionError\nthread\nat exit\n"
    assert outcome.exit_code == 1


def test_the_standard_streams_have_their_names(docker_pool: DockerPool) -> None:
    source = b"open('/dev/stdout', 'w').write(open('/dev/stdin').read()); print(1, file=open('/dev/stderr', 'w'))"
    sandbox = docker_pool.open(Program({"main.py": source}), Limits(), Tier.SINGLE_USE)
    outcome = sandbox.run(Execution(Limits(), b"in"))
    sandbox.close()
    assert (outcome.stdout, outcome.stderr, outcome.exit_code) == (b"in", b"1\n", 0)


def test_a_traceback_shows_the_submission_alone(run: Run) -> None:
    stderr = run("def f():\n    return 1 / 0\n\nf()").stderr.decode()
    assert 'File "main.py", line 2, in f' in stderr
    assert "/opt/rlp" not in stderr


@pytest.mark.parametrize("source", ["raise SystemExit", "exit()", "quit(0)", "import os; os._exit(0)"])
def test_leaving_early_with_success_is_an_exit(run: Run, source: str) -> None:
    outcome = run(source)
    assert (outcome.kind, outcome.exit_code) == (OutcomeKind.EXITED, 0)


def test_a_message_for_exit_goes_to_stderr(run: Run) -> None:
    outcome = run("exit('no')")
    assert (outcome.exit_code, outcome.stderr) == (1, b"no\n")


def test_random_differs_between_executions(docker_pool: DockerPool) -> None:
    sandbox = docker_pool.open(
        Program({"main.py": b"import random; print(random.random())"}), Limits(), Tier.SINGLE_USE
    )
    drawn = {sandbox.run(Execution(Limits())).stdout for _ in range(3)}
    sandbox.close()
    assert len(drawn) == 3


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1.5, "é\n", [], {"a": [1, {"b": None}]}, 1 << 100, float("inf"), {"$float": "nan"}, {"$$": 1}],
)
def test_values_cross_unchanged(run: Run, value: object) -> None:
    outcome = run("def solve(x, *, y): assert x == y; return x", call=Call("solve", [value], {"y": value}))
    assert outcome.returned is not None
    returned = values.decode(outcome.returned)
    assert returned == value
    assert type(returned) is type(value)


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("def solve(): return {1}", "a set is not"),
        ("class I: pass\ndef solve(): return I()", "a I is not"),
        ("def solve(): return {1: 2}", "keys must be str"),
        ("def solve(): return '\\ud800'", "surrogate"),
        ("def solve():\n    x = []\n    x.append(x)\n    return x", "nested deeper"),
        ("solve = 3", "defines no function 'solve'"),
    ],
)
def test_what_is_no_value_is_refused_with_the_reason(run: Run, source: str, detail: str) -> None:
    outcome = run(source, call=Call("solve"))
    assert (outcome.returned, outcome.exit_code) == (None, 1)
    assert outcome.detail is not None
    assert detail in outcome.detail


def test_a_call_without_a_return_has_no_value(run: Run) -> None:
    outcome = run("import os\ndef solve(): os._exit(0)", call=Call("solve"))
    assert (outcome.exit_code, outcome.returned) == (0, None)
    assert outcome.detail == "the program ended before the function returned"


def test_arguments_that_cannot_cross_are_the_callers_mistake(run: Run) -> None:
    with pytest.raises(InvalidRequest, match="argument"):
        run("", call=Call("solve", [{1}]))


def test_cpu_and_wall_time_are_told_apart(run: Run) -> None:
    limits = Limits(cpu_time_s=0.3, wall_time_s=1.0)
    assert run("while True: pass", limits=limits).kind is OutcomeKind.CPU_TIME_EXCEEDED
    assert run("import time; time.sleep(60)", limits=limits).kind is OutcomeKind.WALL_TIME_EXCEEDED


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("x = bytearray(1 << 30)", OutcomeKind.MEMORY_EXCEEDED),
        ("x = [0] * 10**13", OutcomeKind.MEMORY_EXCEEDED),
        ("raise MemoryError", OutcomeKind.EXITED),
        ("import sys; print('MemoryError', file=sys.stderr); exit(1)", OutcomeKind.EXITED),
        ("while True: print('x' * 1000)", OutcomeKind.OUTPUT_EXCEEDED),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", OutcomeKind.SIGNALLED),
        ("import os; os._exit(119)", OutcomeKind.EXITED),
    ],
)
def test_limits_have_evidence(run: Run, source: str, kind: OutcomeKind) -> None:
    assert run(source, limits=Limits(memory_mib=64)).kind is kind


def test_output_up_to_the_limit_is_fine(run: Run) -> None:
    limits = Limits(output_kib=1)
    assert run("print('x' * 1023)", limits=limits).kind is OutcomeKind.EXITED
    outcome = run("print('x' * 1024)", limits=limits)
    assert (outcome.kind, outcome.stdout_truncated, len(outcome.stdout)) == (OutcomeKind.OUTPUT_EXCEEDED, True, 1024)


def test_limits_may_differ_between_executions(docker_pool: DockerPool) -> None:
    program = Program({"main.py": b"x = bytearray(100 << 20)"})
    sandbox = docker_pool.open(program, Limits(memory_mib=256), Tier.SINGLE_USE)
    kinds = [sandbox.run(Execution(Limits(memory_mib=mb))).kind for mb in (256, 50, 200)]
    sandbox.close()
    assert kinds == [OutcomeKind.EXITED, OutcomeKind.MEMORY_EXCEEDED, OutcomeKind.EXITED]


def test_input_that_nobody_reads_does_no_harm(run: Run) -> None:
    assert run("print(1)", stdin=b"x" * (4 << 20)).stdout == b"1\n"


def test_large_input_is_fed(run: Run) -> None:
    assert run("import sys; print(len(sys.stdin.read()))", stdin=b"x" * (1 << 20)).stdout == b"1048576\n"


def test_cancelling_ends_what_runs_at_once(docker_pool: DockerPool) -> None:
    sandbox = docker_pool.open(Program({"main.py": b"while True: pass"}), Limits(), Tier.SINGLE_USE)
    timer = threading.Timer(0.1, sandbox.cancel)
    timer.start()
    started = time.monotonic()
    outcome = sandbox.run(Execution(Limits(cpu_time_s=10, wall_time_s=20)))
    assert outcome.kind is OutcomeKind.CANCELLED
    assert time.monotonic() - started < 2
    timer.join()
    sandbox.close()


class Guessing:
    """The trusted side of a guessing game."""

    def __init__(self, secret: int, turn_time_s: float = 1.0) -> None:
        self.secret, self.turn_time_s, self.guesses = secret, turn_time_s, 0

    def begin(self) -> bytes:
        return b"1 100\n"

    def reply(self, line: bytes) -> bytes | None:
        self.guesses += 1
        guess = int(line)
        return None if guess == self.secret else b"higher\n" if guess < self.secret else b"lower\n"

    def overhear(self, output: bytes) -> None:
        raise AssertionError(output)


PLAYER = b"""
low, high = map(int, input().split())
while True:
    middle = (low + high) // 2
    print(middle, flush=True)
    try:
        low, high = (middle + 1, high) if input() == "higher" else (low, middle - 1)
    except EOFError:
        break
"""


def test_an_interactor_talks_to_the_program(docker_pool: DockerPool) -> None:
    game = Guessing(73)
    sandbox = docker_pool.open(Program({"main.py": PLAYER}), Limits(), Tier.SINGLE_USE)
    outcome = sandbox.run(Execution(Limits()), game)
    sandbox.close()
    assert (outcome.kind, outcome.exit_code) == (OutcomeKind.EXITED, 0)
    assert outcome.stdout.split()[-1] == b"73"
    assert game.guesses <= 7


@pytest.mark.parametrize("after", ["", "time.sleep(9)", "while True: print(0)"])
def test_the_clocks_are_looked_at_between_the_lines_of_a_chunk(docker_pool: DockerPool, after: str) -> None:
    class Slow(Guessing):
        def reply(self, line: bytes) -> bytes | None:
            time.sleep(0.001)
            return super().reply(line)

    game = Slow(1)
    limits = Limits(cpu_time_s=0.2, wall_time_s=0.2, output_kib=4096)
    source = f"import os, time\nos.write(1, b'0\\n' * 30000)\n{after}"
    sandbox = docker_pool.open(Program({"main.py": source.encode()}), limits, Tier.SINGLE_USE)
    outcome = sandbox.run(Execution(limits), game)
    sandbox.close()
    assert outcome.kind in (OutcomeKind.WALL_TIME_EXCEEDED, OutcomeKind.CPU_TIME_EXCEEDED)
    assert game.guesses < 1500
    assert outcome.usage.wall_time_s < 3


@pytest.mark.parametrize("source", ["input(); input()", "import time; print(5, flush=True); time.sleep(9)"])
def test_a_turn_that_takes_too_long_ends_the_conversation(docker_pool: DockerPool, source: str) -> None:
    sandbox = docker_pool.open(Program({"main.py": source.encode()}), Limits(), Tier.SINGLE_USE)
    outcome = sandbox.run(Execution(Limits()), Guessing(1, turn_time_s=0.2))
    sandbox.close()
    assert outcome.kind is OutcomeKind.WALL_TIME_EXCEEDED
    assert outcome.detail == "no answer within the time of a turn"
    assert outcome.usage.wall_time_s < 2


def test_the_kernel_does_not_end_a_long_run_before_the_host_has_measured_its_cpu_time(run: Run) -> None:
    """The kernel counts its own limit in ticks: on a busy machine 42 s of them can be 39 s of CPU time."""
    source = "import resource\nprint(*resource.getrlimit(resource.RLIMIT_CPU))"
    outcome = run(source, limits=Limits(cpu_time_s=40, wall_time_s=40))
    soft, hard = map(int, outcome.stdout.split())
    assert soft == hard
    assert 60 <= soft <= 120
