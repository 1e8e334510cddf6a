"""The judge: one submission, one sandbox, all of its tests.

A sandbox that fails on us is replaced and its test run again; after a few such failures the judge raises. No failure of
ours ever becomes a verdict.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import NamedTuple, Protocol

from rlplatform.errors import SandboxFault
from rlplatform.evaluation.graders.base import Refusal, Session, Stage, TestAttempt
from rlplatform.evaluation.graders.registry import TestCase
from rlplatform.evaluation.kept_files import KeptFiles
from rlplatform.evaluation.models import EvaluationRequest, Judgement, TestResult, Verdict
from rlplatform.evaluation.scoring import SkipRules, overall, score, scored
from rlplatform.evaluation.second_sandbox import CheckerSandbox
from rlplatform.evaluation.stdout_stream import ByteBudget, OnOutput, StdoutStream
from rlplatform.evaluation.submissions import build_program, local_paths
from rlplatform.evaluation.verdicts import Ruling, decide_verdict
from rlplatform.sandbox.models import Limits, Outcome, OutcomeKind, Program, SandboxInfo, Tier
from rlplatform.sandbox.ports import Sandbox, SandboxPool
from rlplatform.spans import span

log = logging.getLogger(__name__)

MAX_FAULTS = 2
STDOUT_KEPT = 64 << 10
STDERR_KEPT = 16 << 10
VALUE_KEPT = 16 << 10
OUTPUT_KEPT = 1 << 20  # all of these, of all tests together: each has an equal share, so that none tells of another
_CANCEL_POLL_S = 0.02

OnResult = Callable[[TestResult], None]
OnAttempt = Callable[[TestCase, TestAttempt], None]


class Bounds(NamedTuple):
    """Bounds of each judgement, which the operator sets."""

    longest_s: float = 3600.0
    """Longest time of one run, and of a suite, in seconds."""
    kept_bytes: int = 64 << 20
    """Size of all files together that are kept."""


class Judge:
    """Judges submissions in the sandboxes of ``pool``. Thread-safe: each call has a sandbox of its own."""

    def __init__(self, pool: SandboxPool, bounds: Bounds | None = None) -> None:
        self._pool, self._bounds = pool, bounds or Bounds()

    def judge(
        self,
        request: EvaluationRequest,
        on_result: OnResult,
        cancelled: threading.Event | None = None,
        tenant: str = "",
        on_output: OnOutput | None = None,
        on_attempt: OnAttempt | None = None,
    ) -> Judgement:
        """Run every test and return the verdicts. Blocking.

        Args:
            on_result: called with every result as soon as it is known, in test order. Points of groups are settled only
                in the judgement.
            cancelled: when set, the sandbox is freed at once and the remaining tests are ``cancelled``.
            tenant: tenant of the submission. Tier *jail* never reuses a container for another tenant.
            on_output: called with the output of a test that runs for longer than a moment, never with that of a hidden
                test.
            on_attempt: called with every test that was run and its attempt, before the attempt is closed.

        Raises:
            InvalidRequest: the submission is not a program.
            SandboxUnavailable: no sandbox is available.
            SandboxFault: sandboxes failed more than twice.
        """
        second = CheckerSandbox(self._pool, request.tier, tenant, request.own_image)
        kept = KeptFiles(self._bounds.kept_bytes)
        judging = _Judging(request, on_result, cancelled or threading.Event(), on_output, second, kept, on_attempt)
        program = build_program(request)
        limits = request.largest_limits()
        info: SandboxInfo | None = None
        faults = 0
        while not judging.done:
            try:
                with span("container", tier=request.tier.value, image=request.own_image) as container:
                    sandbox = self._pool.open(program, limits, request.tier, tenant, image=request.own_image)
                    info = sandbox.info
                    container.set(runtime=info.runtime, digest=info.image_digest)
                    try:
                        beside = partial(self._open_beside, request.tier, tenant, sandbox)
                        image, longest_s = request.own_image, self._bounds.longest_s
                        judging.judge_rest(Stage(sandbox, program, request.limits, image, longest_s, beside))
                    finally:
                        second.close()  # it shares the slot of the submission's sandbox
                        sandbox.close()
            except SandboxFault as fault:
                faults += 1
                log.warning("sandbox fault %d of %d: %s", faults, MAX_FAULTS + 1, fault)
                if faults > MAX_FAULTS:
                    raise
        results = scored(request, judging.tests, judging.results)
        return Judgement(
            verdict=overall(results),
            score=score(results),
            tests=results,
            sandbox=info,
            message=judging.message,
            kept=kept.files,
        )

    def _open_beside(
        self, tier: Tier, tenant: str, beside: Sandbox, program: Program, limits: Limits, image: str | None
    ) -> Sandbox:
        return self._pool.open(program, limits, tier, tenant, image=image, beside=beside)


class _Cancellable(Protocol):
    def cancel(self) -> None: ...


class _Judging:
    """Judging of one submission, over as many sandboxes as it takes."""

    def __init__(
        self,
        request: EvaluationRequest,
        on_result: OnResult,
        cancelled: threading.Event,
        on_output: OnOutput | None,
        second: CheckerSandbox,
        kept: KeptFiles,
        on_attempt: OnAttempt | None,
    ) -> None:
        self._second, self._kept = second, kept
        self.results: list[TestResult] = []
        self.message: str | None = None
        self.tests: list[TestCase] = request.tests
        self._expanded = False
        self._request = request
        self._grader = request.grader
        self._checker = request.checker
        self._skip_rules = SkipRules(request)
        self._on_result = on_result
        self._cancelled = cancelled
        self._on_output, self._on_attempt = on_output, on_attempt
        self._byte_budget = ByteBudget()
        self._output_share = OUTPUT_KEPT // len(request.tests)
        self._skip_tests()

    @property
    def done(self) -> bool:
        return len(self.results) == len(self.tests)

    def judge_rest(self, stage: Stage) -> None:
        """Judge the remaining tests.

        Raises:
            SandboxFault: the sandbox failed. Results so far are kept.
        """
        sandbox = stage.sandbox
        with (
            closing(self._grader.open(self._checker, stage)) as session,
            _cancelling([sandbox, self._second, session], self._cancelled),
        ):
            if (refusal := self._expand(session)) is not None:
                self._refuse(refusal)
            while not self.done:
                test = self.tests[len(self.results)]
                with (
                    span("test", test=test.id) as testing,
                    closing(session.attempt(test, self._request.limits_of(test))) as attempt,
                    closing(self._run(sandbox, test, attempt)) as outcome,
                ):
                    self._check_cancelled(outcome)
                    attempt.ended(outcome)
                    self._second.start_test(sandbox)
                    result = self._result(test, attempt, outcome)
                    testing.set(verdict=result.verdict.value, cpu_time_s=result.cpu_time_s)
                    if self._on_attempt is not None:
                        self._on_attempt(test, attempt)
                self._add(test, result)
                self._skip_tests()
            self.message = self.message or session.message
        self._kept.add(session.kept)

    def _expand(self, session: Session) -> Refusal | None:
        """Let the grader say which tests there are, once; a session after a fault has the same ones."""
        found = session.expand(self._request.tests)
        if isinstance(found, Refusal):
            self._check_cancelled(found.outcome)
            return found
        if not self._expanded:
            self.tests, self._expanded = found, True
            self._output_share = OUTPUT_KEPT // len(found)
        return None

    def _refuse(self, refusal: Refusal) -> None:
        """Give all remaining tests the same result."""
        while not self.done:
            test = self.tests[len(self.results)]
            self._add(test, self._result(test, *refusal))
            self._skip_tests()

    def _check_cancelled(self, outcome: Outcome) -> None:
        if outcome.kind is OutcomeKind.CANCELLED and not self._cancelled.is_set():
            raise SandboxFault("the sandbox was cancelled, but not by us")

    def _run(self, sandbox: Sandbox, test: TestCase, attempt: TestAttempt) -> Outcome:
        if attempt.outcome is not None:
            return attempt.outcome
        execution = attempt.execution
        if test.files:
            execution = replace(execution, files=local_paths(test.files))
        return sandbox.run(execution, attempt.interactor, self._stream(test, attempt))

    def _stream(self, test: TestCase, attempt: TestAttempt) -> StdoutStream | None:
        """Return the listener to the output of ``test``; None if the test is hidden, or talks to an interactor."""
        if self._on_output is None or test.hidden or attempt.interactor is not None:
            return None
        return StdoutStream(test.id, self._on_output, self._byte_budget)

    def _skip_tests(self) -> None:
        """Give their verdict to the next tests that are not to be run."""
        while not self.done:
            test = self.tests[len(self.results)]
            if self._cancelled.is_set():
                verdict, message = Verdict.CANCELLED, "cancelled"
            elif self._skip_rules.skips(test.group):
                verdict, message = Verdict.SKIPPED, "an earlier test was not accepted"
            else:
                return
            self._add(test, TestResult(id=test.id, verdict=verdict, points=0.0, hidden=test.hidden, message=message))

    def _add(self, test: TestCase, result: TestResult) -> None:
        self.results.append(result)
        self._skip_rules.note(test.group, result.verdict)
        if result.verdict is Verdict.COMPILE_ERROR:
            self.message = result.message
        self._on_result(result)

    def _result(self, test: TestCase, attempt: TestAttempt, outcome: Outcome) -> TestResult:
        ruling = decide_verdict(
            outcome,
            self._request.limits_of(test),
            needs_value=attempt.needs_value,
            check=lambda: attempt.check(outcome, self._second),
            wrong_already=attempt.wrong_already,
            decision=attempt.decision,
        )
        if self._cancelled.is_set() and ruling.verdict is Verdict.INTERNAL_ERROR:
            ruling = Ruling(Verdict.CANCELLED, "cancelled")
        output = _Output(self._output_share)
        printed, complained = attempt.output(outcome)
        stdout, cut = output.keep(printed, STDOUT_KEPT)
        stderr, stderr_cut = output.keep(complained, STDERR_KEPT)
        return TestResult(
            id=test.id,
            verdict=ruling.verdict,
            points=ruling.score * test.points,
            hidden=test.hidden,
            cpu_time_s=outcome.usage.cpu_time_s,
            wall_time_s=outcome.usage.wall_time_s,
            core_wait_time_s=outcome.usage.starved_s or None,
            peak_memory_bytes=outcome.usage.peak_memory_bytes,
            checker_cpu_time_s=attempt.cpu_time_s if attempt.cpu_time_s is not None else self._second.cpu_time_s,
            isolation=attempt.isolation,
            exit_code=outcome.exit_code,
            signal=outcome.signal,
            stdout=stdout,
            stdout_truncated=outcome.stdout_truncated or cut,
            stderr=stderr,
            stderr_truncated=outcome.stderr_truncated or stderr_cut,
            value=attempt.value(outcome) if output.has_room(outcome.returned) else None,
            message="\n".join(filter(None, (ruling.message, self._kept.collect(test, outcome)))) or None,
        )


class _Output:
    """Captured output of one test as text: ``left`` bytes of it at most."""

    def __init__(self, left: int) -> None:
        self._left = left

    def keep(self, data: bytes, limit: int) -> tuple[str, bool]:
        """Return ``data`` decoded as UTF-8 with replacement characters, and True if it was cut."""
        kept = data[: min(limit, self._left)]
        self._left -= len(kept)
        text = kept.decode("utf-8", "replace")
        if len(kept) == len(data):
            return text, False
        return text.rstrip("\N{REPLACEMENT CHARACTER}"), True

    def has_room(self, returned: bytes | None) -> bool:
        """Return True if there is room for the returned value, and reserve it."""
        size = len(returned or b"")
        if size > min(VALUE_KEPT, self._left):
            return False
        self._left -= size
        return True


@contextmanager
def _cancelling(sandboxes: Sequence[_Cancellable], cancelled: threading.Event) -> Iterator[None]:
    """Cancel all of ``sandboxes`` as soon as ``cancelled`` is set."""
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            if cancelled.wait(_CANCEL_POLL_S):
                for sandbox in sandboxes:
                    sandbox.cancel()
                return

    threading.Thread(target=watch, name="judge-cancel", daemon=True).start()
    try:
        yield
    finally:
        over.set()
