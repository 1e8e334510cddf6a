"""Sandboxes without containers, for tests of what uses them: outcomes are scripted, misuse is refused as in real ones.

They run nothing but sessions: what a program does is what the script says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import cast

from rlplatform.errors import SandboxFault, SandboxUnavailable
from rlplatform.sandbox.duplex import DuplexEnd
from rlplatform.sandbox.models import (
    Execution,
    Limits,
    NodeImage,
    Outcome,
    OutcomeKind,
    PoolStatus,
    Program,
    SandboxInfo,
    Tier,
    Usage,
)
from rlplatform.sandbox.ports import Interactor, Sandbox
from rlplatform.sandbox.programs import check_program
from rlplatform.testing.sessions import LocalSandbox, LocalSession

Answer = Outcome | SandboxFault
Printing = Generator[bytes, None, Answer]
Script = Callable[[Program, Execution], Answer | Printing] | Iterable[Answer]

NO_USAGE = Usage(cpu_time_s=0.0, wall_time_s=0.0, peak_memory_bytes=0)


def exited(stdout: bytes = b"", *, code: int = 0, returned: bytes | None = None, stderr: bytes = b"") -> Outcome:
    """The outcome of a program that came to its end."""
    return Outcome(OutcomeKind.EXITED, NO_USAGE, exit_code=code, stdout=stdout, stderr=stderr, returned=returned)


def ended(kind: OutcomeKind, *, detail: str | None = None) -> Outcome:
    """The outcome of a program that was ended by ``kind``."""
    return Outcome(kind, NO_USAGE, signal="SIGKILL", detail=detail)


class ScriptedSandbox:
    """Answers each run with the next of the script; a :class:`SandboxFault` in it is raised. A script that is a
    generator yields what is printed meanwhile, and returns the outcome."""

    def __init__(
        self, program: Program, limits: Limits, script: Script, *, tier: Tier, tenant: str, image: str = "scripted"
    ) -> None:
        self.program, self.limits, self.tenant = program, limits, tenant
        self.executions: list[Execution] = []
        self.interactors: list[Interactor | DuplexEnd | None] = []
        self.listened: list[bool] = []
        self._script = script if callable(script) else iter(script)
        self._info = SandboxInfo(
            tier=tier, runtime="scripted", image=image, image_digest="", seccomp_digest="", cgroup="none"
        )
        self._cancelled = threading.Event()
        self._fault: str | None = None
        self.closed = self.shares_slot = False
        self._local: LocalSandbox | None = None

    @property
    def info(self) -> SandboxInfo:
        return self._info

    def run(
        self,
        execution: Execution,
        interactor: Interactor | DuplexEnd | None = None,
        on_stdout: Callable[[bytes], None] | None = None,
    ) -> Outcome:
        if self.closed:
            raise SandboxFault("the sandbox is closed")
        if self._fault:
            raise SandboxFault(f"the sandbox cannot be used any more: {self._fault}")
        self.executions.append(execution)
        self.interactors.append(interactor)
        self.listened.append(on_stdout is not None)
        if self._cancelled.is_set():
            return Outcome(OutcomeKind.CANCELLED, NO_USAGE)
        answer = self._answer(execution)
        if isinstance(answer, Generator):
            answer = self._listen(answer, on_stdout)
        elif on_stdout and isinstance(answer, Outcome) and answer.stdout:
            on_stdout(answer.stdout)
        if isinstance(answer, SandboxFault):
            self._fault = str(answer)
            raise answer
        return Outcome(OutcomeKind.CANCELLED, NO_USAGE) if self._cancelled.is_set() else answer

    def cancel(self) -> None:
        self._cancelled.set()

    def open_session(self, memory: int, limits: Limits) -> LocalSession:
        """Start the program in a process of this machine."""
        self._local = self._local or LocalSandbox(self.program)
        return self._local.open_session(memory, limits)

    def close(self) -> None:
        self.closed = True
        if self._local is not None:
            self._local.close()

    def _listen(self, printing: Printing, on_stdout: Callable[[bytes], None] | None) -> Answer:
        while not self._cancelled.is_set():
            try:
                piece = next(printing)
            except StopIteration as end:
                return cast(Answer, end.value)
            if on_stdout:
                on_stdout(piece)
        return Outcome(OutcomeKind.CANCELLED, NO_USAGE)

    def _answer(self, execution: Execution) -> Answer | Printing:
        if callable(self._script):
            return self._script(self.program, execution)
        try:
            return next(self._script)
        except StopIteration:
            raise AssertionError("the script has no outcome for this execution") from None


class ScriptedPool:
    """A pool whose sandboxes follow ``script``: a function of program and execution, or outcomes for the sandboxes in
    turn (all sandboxes share them). ``unavailable`` is a reason to have none. The first of
    ``images`` is the default."""

    def __init__(
        self,
        script: Script,
        *,
        slots: int = 2,
        tiers: Iterable[Tier] = (Tier.SINGLE_USE,),
        images: Sequence[str] = ("scripted",),
    ) -> None:
        self._script = script if callable(script) else iter(script)
        self._tiers = frozenset(tiers)
        self._slots = slots
        self.images = list(images)
        self._lock = threading.Lock()
        self.unavailable: str | None = None
        self.opened: list[ScriptedSandbox] = []
        self.closed = False

    def open(
        self,
        program: Program,
        limits: Limits,
        tier: Tier,
        tenant: str = "",
        *,
        image: str | None = None,
        beside: Sandbox | None = None,
    ) -> ScriptedSandbox:
        check_program(program)
        if self.closed:
            raise SandboxUnavailable("the sandbox pool is closed")
        if self.unavailable:
            raise SandboxUnavailable(self.unavailable)
        if tier not in self._tiers:
            raise SandboxUnavailable(f"the isolation tier {tier.value!r} is not configured on this node")
        if image is None:
            image = self.images[0]
        elif image not in self.images:
            raise SandboxFault(f"this node has no image {image!r}")
        with self._lock:
            if beside is None and self._in_use() >= self._slots:
                raise SandboxUnavailable(f"all {self._slots} sandbox slots of this node are in use")
            sandbox = ScriptedSandbox(program, limits, self._script, tier=tier, tenant=tenant, image=image)
            sandbox.shares_slot = beside is not None
            self.opened.append(sandbox)
        return sandbox

    def status(self) -> PoolStatus:
        reason = "the sandbox pool is closed" if self.closed else self.unavailable
        return PoolStatus(
            available=reason is None,
            reason=reason,
            tier=Tier.SINGLE_USE,
            in_use=self._in_use(),
            capacity=self._slots,
            lacking={tier: "this pool does not have it" for tier in Tier if tier not in self._tiers},
            image=self.images[0],
            images=tuple(NodeImage(name=name, digest="", size_bytes=0) for name in self.images),
        )

    def close(self) -> None:
        self.closed = True
        for sandbox in self.opened:
            sandbox.close()

    def _in_use(self) -> int:
        return sum(not sandbox.closed and not sandbox.shares_slot for sandbox in self.opened)
