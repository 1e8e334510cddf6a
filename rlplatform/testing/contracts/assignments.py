"""Contract suite of assignments on every :class:`~rlplatform.store.Store`: attempts, results and regrades."""

from __future__ import annotations

import asyncio
from typing import Any

from rlplatform.access.api_keys import ApiKeyService
from rlplatform.access.principals import Principal, Role
from rlplatform.assignments.course import CourseServices
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.grading.documents import RegradeRequest
from rlplatform.assignments.grading.judging import SubmissionJudge
from rlplatform.assignments.people.models import Roster
from rlplatform.assignments.repository import AssignmentRepository
from rlplatform.assignments.submissions.documents import SubmissionInfo, SubmissionRequest
from rlplatform.clock import Clock
from rlplatform.errors import NoAttempt, StorageError
from rlplatform.evaluation.models import Verdict
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.settings import EvaluationSettings, Settings
from rlplatform.store import Store
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.commands import FakeCommands
from rlplatform.testing.contracts.opened_store import OpenedStore

STAFF = Principal(id="staff", tenant="acme", scopes=Role.INSTRUCTOR.scopes)
_TESTS = [{"id": "t1", "stdin": "", "expected_stdout": "x", "points": 4}]


def submission(text: str) -> SubmissionRequest:
    """Return a submission with a program of ``text``."""
    return SubmissionRequest.model_validate({"files": [{"path": "main.py", "content": text}]})


class InterruptedCommands(FakeCommands):
    """Commands that queue an evaluation and then break off, every second time: its caller never learns of it."""

    calls = 0

    async def queue_evaluation(self, *args: Any, **kwargs: Any) -> EvaluationRun:
        run = await super().queue_evaluation(*args, **kwargs)
        self.calls += 1
        if self.calls % 2:
            raise StorageError("the process was killed")
        return run


class AssignmentContract(OpenedStore):
    """A part of :class:`~rlplatform.testing.contracts.store.StoreContract`."""

    async def _course(
        self, store: Store, clock: Clock, commands: FakeCommands, people: int, **changes: Any
    ) -> tuple[CourseServices, list[Principal]]:
        service = service_of(store, clock, commands)
        definition = AssignmentRequest.model_validate({"title": "x", "tests": _TESTS, **changes})
        await service.assignments.publish("first", definition, STAFF)
        roster = Roster.model_validate({"members": [{"external_id": f"s{number:03d}"} for number in range(people)]})
        keys = ApiKeyService(store, Settings.model_validate({"access": {"pepper": "x"}}).access.pepper, clock)
        rows = (await service.rosters.run(roster, "acme", keys, STAFF.id)).results
        learner = Role.LEARNER.scopes
        return service, [Principal(id=row.member.id, tenant="acme", scopes=learner) for row in rows]

    async def test_attempts_are_spent_once_each_by_any_number_of_replicas(self, store: Store, clock: FakeClock) -> None:
        commands = FakeCommands(store, clock)
        service, (ada, bob) = await self._course(store, clock, commands, 2, attempts={"maximum": 3})
        other = service_of(store, clock, commands)
        attempts = [
            replica.submissions.submit("first", submission(f"# {number}"), ada)
            for number in range(6)
            for replica in (service, other)
        ]
        answers = await asyncio.gather(*attempts, return_exceptions=True)
        accepted = [answer[0] for answer in answers if isinstance(answer, tuple)]
        assert len(accepted) == 3
        assert sorted(one.number for one in accepted) == [1, 2, 3]
        assert all(isinstance(answer, tuple | NoAttempt) for answer in answers)
        repeated = [
            replica.submissions.submit("first", submission("# b"), bob, "key") for replica in (service, other) * 4
        ]
        replayed = await asyncio.gather(*repeated)
        assert len({one.id for one, _ in replayed}) == 1
        assert sum(new for _, new in replayed) == 1

    async def test_results_and_regrades_survive_interruptions_and_are_never_doubled(
        self, store: Store, clock: FakeClock
    ) -> None:
        commands = InterruptedCommands(store, clock)
        service, people = await self._course(store, clock, commands, 20)
        for person in people:
            await service.submissions.submit("first", submission(f"# {person.id}"), person)
        await self._judge_all(store, clock, commands, Verdict.WRONG_ANSWER, expected=20)
        grades = await service.assignments.grades("first", STAFF)
        assert [row.points for row in grades.items] == [0.0] * 20
        regrades = service.regrades
        regrade, _ = await regrades.start("first", RegradeRequest(dry_run=True), STAFF)
        late, _ = await service.submissions.submit("first", submission("# late"), people[0])
        await self._judge_all(store, clock, commands, Verdict.ACCEPTED, expected=41)
        report = await regrades.report("first", regrade.id, STAFF)
        assert (report.state, report.done, report.total, report.gained, report.lost) == ("ready", 20, 20, 19, 0)
        await asyncio.gather(*(regrades.commit("first", regrade.id, STAFF) for _ in range(3)))
        events = await store.read(f"assignments/{regrade.assignment_id}")
        assert [event.type for event in events] == ["assignment.published", "assignment.regraded"]
        other = service_of(store, clock, commands)
        assert [row.points for row in (await other.assignments.grades("first", STAFF)).items] == [4.0] * 20
        shown: SubmissionInfo = (await other.submission_reader.list("first", people[0])).items[0]
        assert (shown.id, shown.state, shown.points) == (late.id, "graded", 4.0)

    async def _judge_all(
        self, store: Store, clock: FakeClock, commands: FakeCommands, verdict: Verdict, expected: int
    ) -> None:
        """End every evaluation with ``verdict``, in rounds of a judge that is a new process each time."""
        for _ in range(12):
            await SubmissionJudge(AssignmentRepository(store), clock, commands).scan()
            for run in await store.find("evaluation", states=("queued",), limit=200):
                assert isinstance(run, EvaluationRun)
                await commands.finish(run, [verdict])
        assert len(await store.find("evaluation", limit=200)) == expected
        assert await store.find("work", states=("pending",)) == []


def service_of(store: Store, clock: Clock, commands: FakeCommands) -> CourseServices:
    """Return the service of a replica."""
    return CourseServices(store, clock, commands, None, EvaluationSettings(), 1 << 30)
