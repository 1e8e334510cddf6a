"""Judging of a notebook: its cells and the test cells between them are one run of the submission.

A suite in a sandbox of its own has the cells executed and runs the test cells. If the notebook's process ends in the
middle of a test, the remaining tests get another run; if it ends in a cell of its own, they share its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from rlplatform.evaluation.checkers.base import Checker
from rlplatform.evaluation.graders.base import Decision, Grader, Refusal, Session, Stage, TestAttempt
from rlplatform.evaluation.notebooks.dialogue import PlanDialogue
from rlplatform.evaluation.notebooks.executed import executed_name, executed_notebook, printed, tracebacks
from rlplatform.evaluation.notebooks.plan import Step, make_plan
from rlplatform.evaluation.suites.beside import SuiteBeside
from rlplatform.evaluation.suites.dialogues import Phase, SubmissionDialogue, SuiteFailed
from rlplatform.evaluation.suites.guest import wire
from rlplatform.evaluation.suites.guest.notebook_file import NotebookError, code_cells, read_notebook
from rlplatform.evaluation.suites.reports import Cell, NodePhase, Report, read_report
from rlplatform.evaluation.suites.suite import WIRE_KIB, Suite
from rlplatform.sandbox.models import Execution, FileFault, Limits, Outcome, OutcomeKind, OutputFile, Usage

_SHOWN_ERRORS = 5


class JudgedTest(TestAttempt):
    """A test that has been run together with others. ``outcome`` is its share of the run."""

    outcome: Outcome

    def __init__(self, outcome: Outcome, isolation: str | None) -> None:
        super().__init__(Execution(Limits()))
        self.outcome = outcome
        self.isolation = isolation
        self.printed = self.complained = ""

    def output(self, outcome: Outcome) -> tuple[bytes, bytes]:
        return self.printed.encode("utf-8", "replace"), outcome.stderr + self.complained.encode("utf-8", "replace")

    def mismatch(self, outcome: Outcome) -> str | None:  # noqa: ARG002
        return "the program ended in the middle of the test"


class NotebookSession(Session):
    """Session of a notebook with its test cells."""

    def __init__(
        self,
        grader: Grader,
        checker: Checker,
        stage: Stage,
        notebook: str,
        make_suite: Callable[[Sequence[Any]], Suite],
        *,
        shared: bool,
        collect: tuple[str, ...] = (),
    ) -> None:
        """Begin without a run.

        Args:
            notebook: path of the notebook in the submission.
            make_suite: makes the suite of some tests.
            shared: True if test cells run in the notebook's process.
            collect: files that are kept if the notebook writes them.
        """
        super().__init__(grader, checker)
        self._stage, self._notebook, self._make_suite = stage, notebook, make_suite
        self._isolation = "shared" if shared else "separate"
        self._beside: SuiteBeside | None = None
        self._judged: dict[int, JudgedTest] = {}
        self._cells: dict[int, Cell] = {}
        self._order: list[str] = []
        self._collect = collect
        self._files: dict[str, OutputFile] = {}

    def expand(self, tests: list[Any]) -> list[Any] | Refusal:
        try:
            self._document = read_notebook(self._stage.program.files[self._notebook])
        except NotebookError as error:
            refused = JudgedTest(Outcome(OutcomeKind.EXITED, Usage(0, 0, 0), exit_code=0), None)
            refused.decision = Decision("runtime_error", f"{self._notebook}: {error}")
            return Refusal(refused, refused.outcome)
        self._order = [test.id for test in tests]
        suite = self._make_suite(tests)
        self._dialogue = PlanDialogue(suite.limits.wall_time_s)
        self._beside = SuiteBeside(self._stage, suite, self._dialogue)
        self._beside.start()
        steps = make_plan(code_cells(self._document), tests)
        unjudged = set(range(len(tests)))
        while unjudged:
            outcome, last = self._run([step for step in steps if step.kind == "cell" or step.number in unjudged])
            if outcome.kind is OutcomeKind.CANCELLED:
                return Refusal(JudgedTest(outcome, None), outcome)
            again = last is not None and last.kind == "test"
            whole = set() if again else {index for index in unjudged if index not in self._judged}
            for index in whole:
                self._judged[index] = self._whole(tests[index], outcome, ended_in=last)
            unjudged -= self._judged.keys()
        return tests

    def attempt(self, test: Any, limits: Limits) -> TestAttempt:  # noqa: ARG002
        return self._judged[self._order.index(test.id)]

    def cancel(self) -> None:
        if (beside := self._beside) is not None:
            beside.cancel()

    def close(self) -> None:
        if self._beside is not None:
            self._beside.close()

    @property
    def message(self) -> str | None:
        """Errors of the notebook's cells, with their lines."""
        found = [self._error(number, cell) for number, cell in sorted(self._cells.items()) if cell.error is not None]
        more = [f"… and {len(found) - _SHOWN_ERRORS} more"] if len(found) > _SHOWN_ERRORS else []
        gone = [(path, fault) for path, fault in self._files.items() if isinstance(fault, FileFault)]
        faults = [f"{path} is not kept: it {fault.value}" for path, fault in gone]
        return "\n".join([*found[:_SHOWN_ERRORS], *more, *faults]) or None

    @property
    def kept(self) -> dict[str, bytes]:
        """The executed notebook and the collected files, by their names."""
        files = {path: content for path, content in self._files.items() if isinstance(content, bytes)}
        if not self._cells:
            return files
        return files | {executed_name(self._notebook): executed_notebook(self._document, self._cells)}

    def _run(self, steps: Sequence[Step]) -> tuple[Outcome, Step | None]:
        """Carry out ``steps`` in one run. Return how it ended, and the step in which it ended too early."""
        limits = self._stage.limits
        longest = limits.model_copy(
            update={
                "wall_time_s": min(limits.wall_time_s * (len(steps) + 1), self._stage.longest_s),
                "output_kib": max(limits.output_kib, WIRE_KIB),
            }
        )
        phase = Phase()
        command = wire.dump({"plan": [step.command() for step in steps]})
        interactor = SubmissionDialogue(phase, limits.wall_time_s, command, self._dialogue)
        with closing(self._stage.sandbox.run(Execution(longest, collect=self._collect), interactor)) as run:
            phase.end()
            outcome = replace(run, stdout=b"", stdout_file=None)
            self._files = {path: run.files.get(path, FileFault.MISSING) for path in self._collect}
        if outcome.kind is OutcomeKind.CANCELLED:
            return outcome, None
        tests: list[int] = []
        last = None
        failure: Decision | None = None
        try:
            for step, report in zip(steps, self._reports(), strict=False):
                if step.kind == "test":
                    tests.append(step.number)
                    self._judged[step.number] = self._judge(report, outcome)
                elif report.cell is not None:
                    self._cells[step.number] = report.cell
                if _phase(report).outcome == "ended":
                    last = step
        except SuiteFailed as error:
            failure = Decision("internal_error", f"the suite failed: {error}")
        self._share(outcome, tests, last)
        if failure is not None:
            for step in steps:
                if step.kind == "test" and step.number not in self._judged:
                    self._judged[step.number] = failed = JudgedTest(_well(outcome), self._isolation)
                    failed.decision = failure
        return outcome, last

    def _reports(self) -> Iterator[Report]:
        """Yield the reports of a plan that has ended."""
        while (message := self._dialogue.wait_step()) is not None:
            report = read_report(message)
            if report is None or not report.phases:
                raise SuiteFailed("its report is refused")
            yield report

    def _judge(self, report: Report, outcome: Outcome) -> JudgedTest:
        judged = JudgedTest(_well(outcome), self._isolation)
        judged.decision = report.decision()
        if judged.decision is None:  # it ended in the middle of the test
            judged.outcome = outcome
            if outcome.kind is OutcomeKind.EXITED and outcome.exit_code == 0:
                judged.decision = Decision("runtime_error", "the notebook's process ended in the middle of the test")
        judged.cpu_time_s = report.cpu_s
        judged.printed, judged.complained = _phase(report).stdout, _phase(report).stderr
        return judged

    def _whole(self, test: Any, outcome: Outcome, ended_in: Step | None) -> JudgedTest:
        """Return the result of a test of the whole notebook, or of one that was not reached."""
        judged = JudgedTest(_well(outcome), self._isolation if test.cell is not None else None)
        if ended_in is not None:
            judged.outcome = replace(outcome, detail=_joined(outcome.detail, f"in cell {ended_in.number}"))
            if outcome.kind is OutcomeKind.EXITED:
                judged.decision = Decision("runtime_error", f"the notebook's process ended in cell {ended_in.number}")
        elif test.cell is None:
            errors = [self._error(number, cell) for number, cell in sorted(self._cells.items()) if cell.error]
            judged.decision = Decision("runtime_error", errors[0]) if errors else Decision("accepted")
            judged.outcome = replace(judged.outcome, exit_code=1 if errors else 0)
        else:
            judged.decision = Decision("internal_error", "the suite did not report the test")
        if test.cell is None:
            judged.printed, judged.complained = printed(self._cells), tracebacks(self._cells)
        return judged

    def _share(self, outcome: Outcome, tests: Sequence[int], last: Step | None) -> None:
        """Share the time of a run among its tests; one that has ended it has used all that was left."""
        if last is not None and last.kind == "test":
            shares = dict.fromkeys(tests, 0.0) | {last.number: 1.0}
        else:
            shares = dict.fromkeys(tests, 1 / max(1, len(tests)))
        for index, share in shares.items():
            usage = outcome.usage
            part = replace(
                usage,
                cpu_time_s=usage.cpu_time_s * share,
                wall_time_s=usage.wall_time_s * share,
                starved_s=usage.starved_s * share,
            )
            self._judged[index].outcome = replace(self._judged[index].outcome, usage=part)

    def _error(self, number: int, cell: Cell) -> str:
        error = cell.error
        assert error is not None
        where = f"{self._notebook} cell {number}" + (f", line {error.line}" if error.line is not None else "")
        return f"{where}: {error.name}: {error.text}"


def _phase(report: Report) -> NodePhase:
    assert report.phases
    return report.phases[0]


def _well(outcome: Outcome) -> Outcome:
    """Return ``outcome`` as that of a part of the run which ended well."""
    return replace(outcome, kind=OutcomeKind.EXITED, exit_code=0, signal=None, detail=None, stderr=b"")


def _joined(detail: str | None, where: str) -> str:
    return f"{detail}, {where}" if detail else where
