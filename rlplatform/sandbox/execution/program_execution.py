"""Run one execution from the host: own its pipes, feed and read them, watch the limits, stop it, and collect
evidence."""

from __future__ import annotations

import os
import secrets
import select
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rlplatform.errors import InvalidRequest, SandboxFault
from rlplatform.sandbox.duplex import DuplexEnd
from rlplatform.sandbox.execution.cgroups import Cgroup
from rlplatform.sandbox.execution.control_channel import Channel, Report, memory_file, parse_records, parse_report
from rlplatform.sandbox.execution.conversation import Conversation
from rlplatform.sandbox.execution.outcomes import STDERR_MOST, Evidence, Stop
from rlplatform.sandbox.execution.outputs import parse_outputs, pipe_bytes
from rlplatform.sandbox.execution.patience import STOP_GRACE_S, Patience, lease_s
from rlplatform.sandbox.execution.pipes import OutputPipe, StdinPipe
from rlplatform.sandbox.guest import values
from rlplatform.sandbox.models import MAX_OUTPUT_FILE_BYTES, Call, Execution, OutputFile, Usage
from rlplatform.sandbox.ports import Interactor
from rlplatform.sandbox.wake_up import WakeUp

_POLL_MS = 10
_CHECK_S = _POLL_MS / 2e3
_STDERR_KEPT = 64 << 10
_RECORDS_EXTRA = 8 << 10
_VALUE_MOST = 4 << 20  # parsed in memory, so bounded independently of the output limit
_SAMPLE_S = 0.05


class ProgramExecution:
    """Single run of a loaded program. :meth:`evidence` blocks until it has ended; another thread may call
    :meth:`cancel`."""

    def __init__(
        self,
        channel: Channel,
        cgroup: Cgroup,
        user: int,
        execution: Execution,
        interactor: Interactor | DuplexEnd | None = None,
        on_stdout: Callable[[bytes], None] | None = None,
        links: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare a run. ``links`` maps each file of the execution to its path in the container."""
        self._links = dict(links or {})
        self._channel, self._cgroup, self._limits = channel, cgroup, execution.limits
        self._user = user
        self._nonce = secrets.token_hex(16)
        self._request = _encode_call(execution.call, self._nonce) if execution.call else None
        self._on_stdout = on_stdout or _ignore
        self._stop: Stop | None = None
        self._stopped_at = 0.0
        self._patience = Patience(self._limits)
        self._sampled_at = 0.0
        self._oom_kills = self._refused_tasks = 0
        output = self._limits.output_kib * 1024
        source = execution.stdin if isinstance(execution.stdin, Path) else None
        self._stdin = StdinPipe(source)
        self._stdout = OutputPipe(output, output, spools=execution.call is None)
        self._stderr = OutputPipe(min(output, _STDERR_KEPT), max(output, STDERR_MOST))
        value = min(output, _VALUE_MOST) + _RECORDS_EXTRA
        self._records = OutputPipe(value, value)
        self._collect = execution.collect
        size = pipe_bytes(execution.collect)
        self._outputs = OutputPipe(size, size) if execution.collect else None
        self._bell = WakeUp()
        self._poll = select.poll()
        self._handlers: dict[int, Callable[[], object]] = {}
        self._duplex = interactor if isinstance(interactor, DuplexEnd) else None
        self._conversation: Conversation | None = None
        if interactor is not None and not isinstance(interactor, DuplexEnd):
            self._conversation = Conversation(interactor, self._stdin)
        if isinstance(execution.stdin, bytes):
            self._stdin.put(execution.stdin)
        if self._conversation:
            self._conversation.begin()
        elif self._duplex is None:
            self._stdin.end()

    def cancel(self) -> None:
        """Stop the execution as soon as possible. Idempotent."""
        self._bell.ring()

    def run(self) -> Evidence:
        """Run the program to its end, and return the evidence.

        Raises:
            SandboxFault: the sandbox does not carry out a command.
        """
        try:
            return self._run()
        finally:
            if self._duplex is not None:
                self._duplex.hang_up()
                self._duplex.close()
            self._bell.close()
            for pipe in (self._stdin, self._stdout, self._stderr, self._records, self._outputs):
                if pipe is not None:
                    pipe.close()

    def _run(self) -> Evidence:
        self._watch()
        self._cgroup.begin()
        started = checked = time.monotonic()
        self._start()
        control = self._channel.fileno()
        ended = False
        while not ended and not self._is_given_up():
            for descriptor, _ in self._poll.poll(0 if self._converse() else _POLL_MS):
                if descriptor == control:
                    ended = True
                else:
                    self._handlers[descriptor]()
            if not ended and (now := time.monotonic()) - checked > _CHECK_S:
                checked = now
                self._on_stdout(b"")
                self._check(now - started)
        message = self._channel.receive(STOP_GRACE_S) if ended else None
        report = parse_report(message) if message is not None else None
        self._hear_rest(started, report)
        for capture in (self._stdout, self._stderr, self._records, self._outputs):
            if capture is not None:
                capture.drain()
        wall_s = time.monotonic() - started
        files = self._collected(alive=report is not None)
        return Evidence(
            usage=self._usage(wall_s, alive=report is not None),
            oom_kills=self._oom_kills,
            refused_tasks=self._refused_tasks,
            stop=self._stop,
            report=report,
            records=parse_records(self._records.captured().data, self._nonce),
            stdout=self._stdout.captured(),
            stderr=self._stderr.captured(),
            files=files,
        )

    def _collected(self, alive: bool) -> dict[str, OutputFile]:
        if self._outputs is None or not alive:
            return {}
        return parse_outputs(self._outputs.captured(), self._collect)

    def _watch(self) -> None:
        self._poll.register(self._channel.fileno(), select.POLLIN)
        self._handle(self._bell.fileno(), select.POLLIN, lambda: self._end(Stop.CANCELLED))
        self._handle(self._stdin.host, select.POLLOUT, self._push)
        if self._duplex is not None:
            self._handle(self._duplex.fileno(), select.POLLIN, self._take)
        self._handle(self._stdout.host, select.POLLIN, self._pull_stdout)
        self._handle(self._stderr.host, select.POLLIN, lambda: self._pull(self._stderr, Stop.STDERR))
        self._handle(self._records.host, select.POLLIN, lambda: self._pull(self._records, Stop.VALUE))
        if (outputs := self._outputs) is not None:
            self._handle(outputs.host, select.POLLIN, lambda: self._pull(outputs, Stop.VALUE))

    def _handle(self, descriptor: int, events: int, handler: Callable[[], object]) -> None:
        self._handlers[descriptor] = handler
        self._poll.register(descriptor, events)

    def _start(self) -> None:
        order: dict[str, object] = {
            "op": "run",
            "call": self._request is not None,
            "cpu_s": self._limits.cpu_time_s,
            "memory_mib": self._limits.memory_mib,
            "lease_s": lease_s(self._limits),
        }
        if self._links:
            order["links"] = self._links
        if self._collect:
            order["collect"] = {"paths": self._collect, "most": MAX_OUTPUT_FILE_BYTES}
        streams = (self._stdin, self._stdout, self._stderr)
        for stream in streams:
            stream.open_to(self._user)
        outputs = [self._outputs] if self._outputs is not None else []
        request = [memory_file(self._request)] if self._request is not None else []
        try:
            own = [pipe.child for pipe in (*streams, self._records)]
            self._channel.send(order, [*own, *request, *(pipe.child for pipe in outputs)])
        finally:
            for descriptor in request:
                os.close(descriptor)
            for pipe in (*streams, self._records, *outputs):
                pipe.close_child()

    def _check(self, wall_s: float) -> None:
        if self._stop is not None:
            return
        try:
            self._count()
            cpu_s = self._cgroup.cpu_s()
        except SandboxFault:
            cpu_s = 0.0  # the container is dying; the control socket will report it
        if cpu_s > self._limits.cpu_time_s:
            self._end(Stop.CPU)
            return
        stop = self._timed_out(wall_s)
        if stop or wall_s - self._sampled_at > _SAMPLE_S:
            self._sampled_at = wall_s
            self._patience.sample(wall_s, cpu_s, self._cgroup.tasks_by_id())
            stop = self._timed_out(wall_s)
        if stop:
            self._end(stop)

    def _timed_out(self, wall_s: float) -> Stop | None:
        patience = self._patience
        if patience.has_ended(wall_s):
            return Stop.WALL
        if self._conversation and self._conversation.overdue(patience.starved_s) and not patience.is_waiting:
            return Stop.TURN
        return Stop.STARVED if patience.is_exhausted(wall_s) else None

    def _is_given_up(self) -> bool:
        """True if the sandbox did not stop the execution on command, so that it will be removed by force.

        The recorded reason of the stop does not change.
        """
        return self._stop is not None and time.monotonic() - self._stopped_at > STOP_GRACE_S

    def _end(self, stop: Stop) -> None:
        self._bell.hush()
        if self._stop is None:
            self._stop, self._stopped_at = stop, time.monotonic()
            self._channel.send({"op": "kill"})

    def _pull_stdout(self) -> None:
        chunk = self._pull(self._stdout, Stop.OUTPUT)
        if chunk:
            self._on_stdout(chunk)
            if self._conversation:
                self._conversation.hear(chunk)
        if self._duplex is not None and chunk is not None:
            self._pass_on(chunk)

    def _pass_on(self, chunk: bytes) -> None:
        """Hand output to the other program; an empty chunk is its end."""
        assert self._duplex is not None
        if chunk:
            self._duplex.hear(chunk)
        else:
            self._duplex.hang_up()

    def _take(self) -> None:
        """Take input from the other program."""
        assert self._duplex is not None
        given, ended = self._duplex.take()
        self._stdin.put(given)
        if ended:
            self._stdin.end()
        if self._stdin.has_work:
            self._poll.register(self._stdin.host, select.POLLOUT)

    def _converse(self) -> bool:
        """Answer lines for a moment, then return so that limits are checked. True if there are more lines to answer."""
        if not self._conversation or self._stop not in (None, Stop.OUTPUT):
            return False
        more = self._conversation.answer(time.monotonic() + _CHECK_S)
        if self._stdin.has_work:
            self._poll.register(self._stdin.host, select.POLLOUT)
        return more

    def _hear_rest(self, started: float, report: Report | None) -> None:
        """Hand over what the program wrote before it ended; lines are answered within its wall time."""
        if self._duplex is not None:
            while not self._stdout.exceeded and (rest := self._stdout.pull()):
                self._duplex.hear(rest)
        if not self._conversation:
            return
        self._stdin.close()
        while not self._stdout.exceeded and (chunk := self._stdout.pull()):
            self._conversation.hear(chunk)
        while self._converse():
            if self._bell.hush():
                self._stop = Stop.CANCELLED
            elif time.monotonic() - started - self._patience.starved_s > self._limits.wall_time_s:
                self._stop = Stop.WALL
        if self._stop is None and report is not None and report.status == 0:
            self._conversation.finish()

    def _pull(self, capture: OutputPipe, excess: Stop) -> bytes | None:
        chunk = capture.pull()
        if chunk == b"":
            self._poll.unregister(capture.host)
        if capture.exceeded:
            self._end(excess)
        return chunk

    def _push(self) -> None:
        descriptor = self._stdin.host
        if not self._stdin.push():
            self._poll.unregister(descriptor)

    def _count(self) -> None:
        self._oom_kills = self._cgroup.oom_kills()
        if self._channel.kernel == "gvisor":  # which exits if it is refused a thread
            self._refused_tasks = self._cgroup.refused_tasks()

    def _usage(self, wall_s: float, alive: bool) -> Usage:
        try:
            self._count()
            return Usage(self._cgroup.cpu_s(), wall_s, self._cgroup.peak_bytes(), self._patience.starved_s)
        except SandboxFault:
            if alive:
                raise
            return Usage(0.0, wall_s, 0, self._patience.starved_s)


def _ignore(chunk: bytes) -> None: ...


def _encode_call(call: Call, nonce: str) -> bytes:
    try:
        parts = (values.encode(call.args), values.encode(call.kwargs))
    except values.ValueRefused as refusal:
        raise InvalidRequest(f"an argument cannot be passed: {refusal}", field="args") from refusal
    return b"\n".join((nonce.encode(), call.function.encode(), *parts))
