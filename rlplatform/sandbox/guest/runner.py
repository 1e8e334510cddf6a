"""PID 1 of a sandbox: a trusted zygote. It imports once, forks one child a test, and reports how the child ended.

In the tiers *single-use* and *gvisor* it serves one submission; in tier *jail* it makes a jail for each, whose first
process serves it.

It never sees an expected value, a test's input or its output: the host passes its own pipes, and they are the child's.
As PID 1 it is out of reach of its children: the kernel drops every signal from inside that it has no handler for.
"""

from __future__ import annotations

import gc
import os
import signal
import site
import sys
from contextlib import suppress
from typing import Any, NoReturn

from . import child
from .channel import Channel, Closed, read_all
from .child_watcher import ChildWatcher
from .isolation import gvisor
from .isolation.jail import JailRoot
from .isolation.kernel_calls import Filter, kernel
from .isolation.oom_score import OomScore
from .isolation.view import View, open_counter
from .languages import LANGUAGES
from .outputs import send_outputs
from .program import Program
from .protocol import VERSION

_SWEEPS = 200
_THREAD_STACK = 8 << 20


def main() -> NoReturn:
    """``runner SOCKET LEASE_SECONDS single-use|jail``: serve until the host is gone."""
    path, lease_s, mode = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    score = None if kernel.is_gvisor else OomScore()  # gVisor: out of memory, the host ends all of it
    kernel.set_dumpable(False)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if kernel.is_gvisor:
        gvisor.ignore_signals()
    site.setquit()
    site.setcopyright()
    site.sethelper()
    kernel.set_thread_stack(_THREAD_STACK)
    for language in LANGUAGES.values():
        language.prepare()
    channel = Channel(path, lease_s)
    child.prepare()
    _freeze()
    try:
        channel.send({"ready": {"version": VERSION, "kernel": "gvisor" if kernel.is_gvisor else "linux"}})
        if mode == "jail":
            _serve_jails(channel)
        else:
            if kernel.is_gvisor:
                kernel.filter_calls(Filter(gvisor.load_filter()))
            _serve(channel, None if kernel.is_gvisor else open_counter("/proc"), score)
    except Closed:
        pass
    os._exit(0)


def _serve_jails(channel: Channel) -> None:
    try:
        root = JailRoot()
    except OSError as error:
        channel.send({"fault": f"jails cannot be made: {error}"})
        return
    _freeze()
    while True:
        received = channel.receive()
        if received is None or received[0]["op"] != "open":
            continue
        try:
            first = root.enter()
        except OSError as error:
            channel.send({"fault": f"the jail cannot be made: {error}"})
            os._exit(1)
        if first == 0:
            try:
                channel.send({"opened": True})
                _serve(channel, root.counter, is_first=True)
            finally:
                os._exit(0)
        os.waitpid(first, 0)
        channel.renew()
        channel.send({"closed": _sweep()})


def _freeze() -> None:
    """Let no collection of a child look at, and so copy, what is there now."""
    gc.collect()
    gc.freeze()


def _serve(channel: Channel, counter: int | None, score: OomScore | None = None, is_first: bool = False) -> None:
    """Carry out the host's commands for one submission, until ``close``; ``score`` is this process's own, ``counter``
    an open ``/proc/loadavg``, ``is_first`` says that no other process was here before this one.

    :raises Closed: the host is gone.
    """
    program: Program | None = None
    start: child.Start | None = None
    view = View(counter, is_first)
    while True:
        received = channel.receive()
        assert received is not None
        order, descriptors = received
        if order["op"] == "load":
            language = LANGUAGES[order["language"]]
            program = Program(read_all(descriptors[0]), order["entry"], language.SUFFIX, order["links"])
            view.skip(program, *order["skip"])
            start = child.Start(program, language)
            gc.freeze()
            channel.send({"loaded": True})
        elif order["op"] == "run" and program is not None and start is not None:
            start.prepare(order)
            status, strays = _run(channel, start, order, descriptors, score)
            more = program.count_more(order["links"]) if "links" in order else 0
            clean, traces = view.restore(program, more)
            channel.send({"status": status, "strays": strays, "clean": clean, "traces": traces})
        elif order["op"] == "close":
            return


def _run(
    channel: Channel, start: child.Start, order: dict[str, Any], descriptors: list[int], score: OomScore | None
) -> tuple[int, int]:
    channel.extend(order["lease_s"])
    outputs = descriptors.pop() if "collect" in order else None
    if score:
        score.raise_()
    pid = kernel.fork()
    if pid == 0:
        try:
            start.run_submission(order, descriptors)
        finally:
            os._exit(121)
    if score:
        score.restore()
    for descriptor in descriptors:
        os.close(descriptor)
    watcher = ChildWatcher(pid)
    while (received := channel.receive(watcher.descriptor)) is not None or not watcher.has_come():
        if received is not None and received[0]["op"] == "kill":
            os.kill(pid, signal.SIGKILL)
    watcher.close()
    status = os.waitpid(pid, 0)[1]
    strays = _sweep()
    if outputs is not None:
        send_outputs(order["collect"]["paths"], order["collect"]["most"], outputs)
    return status, strays


def _sweep() -> int:
    """Kill and reap every process but this one; how many there were."""
    reaped = 0
    for _ in range(_SWEEPS):
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        try:
            while True:
                os.waitpid(-1, 0)
                reaped += 1
        except ChildProcessError:
            return reaped
    return reaped
