"""The ``Commands`` port without actors: real runs and events in a store; a test plays what happens to them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from rlplatform.access.principals import Principal
from rlplatform.assignments.grading.judging import SubmissionJudge
from rlplatform.assignments.repository import AssignmentRepository
from rlplatform.assignments.similarity.runner import SimilarityRunner
from rlplatform.clock import Clock
from rlplatform.errors import Conflict, NotFound, SandboxUnavailable
from rlplatform.evaluation.events import (
    EvaluationCancelled,
    EvaluationFinished,
    EvaluationQueued,
    EvaluationStarted,
    EvaluationTestFinished,
)
from rlplatform.evaluation.models import Evaluation, EvaluationRequest, TestResult, Verdict
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.health import Dependency, PlatformStatus
from rlplatform.ids import Kind, new_id
from rlplatform.load import PlatformLoad, SandboxLoad, StoreLoad, TenantLoad
from rlplatform.runs.events import Event
from rlplatform.runs.ports import EncodedEvent, Idempotency
from rlplatform.sandbox.models import ImageInfo
from rlplatform.scheduling.admission import QueuePlace
from rlplatform.scheduling.priorities import check_priority
from rlplatform.store import Store
from rlplatform.studies.events import StudyPauseRequested, StudyQueued, StudyResumeRequested, StudyStopRequested
from rlplatform.studies.models import Study, StudyRequest, StudyState
from rlplatform.studies.record import StudyRun
from rlplatform.studies.request_checks import check_space
from rlplatform.testing.similarity import EqualProgramsComparer
from rlplatform.training.checkpoints.retention import superseded
from rlplatform.training.events import (
    TrainingIterationCompleted,
    TrainingPauseRequested,
    TrainingQueued,
    TrainingResumeRequested,
    TrainingStopRequested,
    TrainingSucceeded,
)
from rlplatform.training.models import Training, TrainingCheck, TrainingRequest, TrainingState
from rlplatform.training.ports import CheckpointStore
from rlplatform.training.record import TrainingRun
from rlplatform.training.request_checks import continued, planned


class FakeCommands:
    """Queues what it is asked to; nothing runs by itself.

    Args:
        sandbox: None, or why no sandbox can be had: evaluations are then refused.
        judge: finish every evaluation at once, with this verdict for each test.
        checkpoints: what :meth:`delete_checkpoint` deletes from.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        sandbox: str | None = None,
        judge: Verdict | None = None,
        checkpoints: CheckpointStore | None = None,
    ) -> None:
        self.sandbox = sandbox
        self.judge = judge
        self.submissions = SubmissionJudge(AssignmentRepository(store), clock, self)
        self.comparer = EqualProgramsComparer()
        self.similarity = SimilarityRunner(store, clock, None, self.comparer)
        self._checkpoints = checkpoints
        self._store = store
        self._clock = clock

    async def submit_evaluation(
        self, request: EvaluationRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[EvaluationRun, bool]:
        check_priority(request.priority, principal)
        if idempotency is not None and (stored := await self._store.find_by_idempotency_key(idempotency)) is not None:
            assert isinstance(stored, EvaluationRun)
            return stored, False
        if self.sandbox is not None:
            raise SandboxUnavailable(self.sandbox)
        return await self._make(request, principal, new_id(Kind.EVALUATION), idempotency)

    async def _make(
        self, request: EvaluationRequest, principal: Principal, run_id: str, idempotency: Idempotency | None
    ) -> tuple[EvaluationRun, bool]:
        max_score = sum(test.points for test in request.tests)
        document = Evaluation(id=run_id, state="queued", max_score=max_score, created_at=self._now())
        run = EvaluationRun(
            id=run_id, tenant=principal.tenant, created_by=principal.id, request=request, document=document
        ).annotated(request.annotations)
        first = EvaluationQueued(stream=run.stream, time=self._now(), tests=len(request.tests), max_score=max_score)
        stored, new = await self._store.create(run, first, idempotency=idempotency)
        assert isinstance(stored, EvaluationRun)
        if new and self.judge is not None:
            await self.finish(stored, [self.judge] * len(request.tests))
            stored = await self._evaluation(run_id)
        return stored, new

    async def check_evaluation(self, request: EvaluationRequest, principal: Principal) -> None:
        pass

    async def queue_evaluation(self, request: EvaluationRequest, principal: Principal, run_id: str) -> EvaluationRun:
        with suppress(NotFound):
            return await self._evaluation(run_id)
        if self.sandbox is not None:
            raise SandboxUnavailable(self.sandbox)
        return (await self._make(request, principal, run_id, None))[0]

    async def judge_waiting(self, work_id: str | None = None) -> None:
        """Queue what waits, of all members, and note what has ended."""
        del work_id
        await self.submissions.scan()

    async def compare_waiting(self) -> None:
        """Do nothing: a test calls ``similarity.scan``."""

    async def cancel_evaluation(self, run_id: str, principal: Principal) -> EvaluationRun:
        by = principal.id
        run = await self._evaluation(run_id)
        if not run.final:
            await self.play(run.stream, EvaluationCancelled(stream=run.stream, time=self._now(), reason=f"by {by}"))
        return await self._evaluation(run_id)

    async def start_training(
        self, request: TrainingRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[TrainingRun, bool]:
        run_id = new_id(Kind.TRAINING)
        request = self._continued(request)
        simulated = request.engine == "simulated"
        document = Training(
            id=run_id, state=TrainingState.QUEUED, request=request, simulated=simulated, created_at=self._now()
        )
        run = TrainingRun(id=run_id, tenant=principal.tenant, created_by=principal.id, document=document)
        run = run.annotated(request.annotations)
        first = TrainingQueued(stream=run.stream, time=self._now(), simulated=simulated)
        stored, new = await self._store.create(run, first, idempotency=idempotency)
        assert isinstance(stored, TrainingRun)
        return stored, new

    async def check_training(self, request: TrainingRequest, principal: Principal) -> TrainingCheck:
        check_priority(request.priority, principal)
        return planned(self._continued(request))

    def _continued(self, request: TrainingRequest) -> TrainingRequest:
        if request.resume_from is None or self._checkpoints is None:
            return request
        wanted = request.resume_from
        of_training = wanted.startswith(f"{Kind.TRAINING}_")
        return continued(request, self._checkpoints.list(wanted)[-1] if of_training else self._checkpoints.find(wanted))

    async def command_training(self, run_id: str, command: str, principal: Principal) -> TrainingRun:
        run = await self._training(run_id)
        desired = {"pause": "pause", "resume": "run", "stop": "stop"}[command]
        if run.final and command != "stop":
            raise Conflict(f"the training is {run.state}", state=run.state)
        if run.final or run.desired == desired:
            return run
        asked = {
            "pause": TrainingPauseRequested,
            "resume": TrainingResumeRequested,
            "stop": TrainingStopRequested,
        }[command]
        await self.play(run.stream, asked(stream=run.stream, time=self._now(), by=principal.id))
        return await self._training(run_id)

    async def start_study(
        self, request: StudyRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[StudyRun, bool]:
        check_space(request)
        study_id = new_id(Kind.STUDY)
        document = Study(id=study_id, state=StudyState.QUEUED, request=request, created_at=self._now())
        run = StudyRun(id=study_id, tenant=principal.tenant, created_by=principal.id, document=document)
        first = StudyQueued(stream=run.stream, time=self._now())
        stored, new = await self._store.create(run, first, idempotency=idempotency)
        assert isinstance(stored, StudyRun)
        return stored, new

    async def command_study(self, run_id: str, command: str, principal: Principal) -> StudyRun:
        asked = {"pause": StudyPauseRequested, "resume": StudyResumeRequested, "stop": StudyStopRequested}[command]
        run = await self._study(run_id)
        if run.final and command != "stop":
            raise Conflict(f"the study is {run.state}", state=run.state)
        if not run.final:
            await self.play(run.stream, asked(stream=run.stream, time=self._now(), by=principal.id))
        return await self._study(run_id)

    async def delete_checkpoint(self, checkpoint_id: str, principal: Principal) -> None:  # noqa: ARG002
        assert self._checkpoints is not None
        checkpoint = self._checkpoints.find(checkpoint_id)
        run = await self._training(checkpoint.training_id)
        if not run.final and not superseded(checkpoint, self._checkpoints):
            raise Conflict(f"{run.id} would be recovered from {checkpoint_id}", state=run.state)
        self._checkpoints.delete(run.id, checkpoint_id)

    async def delete_run(self, run_id: str, principal: Principal) -> None:  # noqa: ARG002
        await self._store.remove(run_id)
        if self._checkpoints is not None:
            self._checkpoints.clear(run_id)

    async def places(self, run_ids: Sequence[str]) -> list[QueuePlace | None]:
        runs = [run for kind in ("evaluation", "training") for run in await self._store.find(kind, states=("queued",))]
        waiting = sorted(run.id for run in runs)
        return [QueuePlace(waiting.index(run_id)) if run_id in waiting else None for run_id in run_ids]

    async def images(self) -> list[ImageInfo]:
        return [
            ImageInfo(name="python", digest="sha256:1", size_bytes=100, default=False, nodes=["node-1"]),
            ImageInfo(
                name="python-rl",
                digest="sha256:2",
                size_bytes=200,
                packages={"numpy": "2.0.0"},
                default=True,
                nodes=["node-1", "node-2"],
            ),
        ]

    async def status(self) -> PlatformStatus:
        sandbox = Dependency("sandbox", ok=self.sandbox is None, detail=self.sandbox)
        return PlatformStatus((sandbox, Dependency("ray", ok=True)))

    async def load(self) -> PlatformLoad:
        """Return the load by the unfinished runs in the store; nothing of it runs."""
        tenants: dict[str, TenantLoad] = {}
        for kind in ("evaluation", "training"):
            for run in await self._store.find(kind, states=("queued",)):
                found = tenants.setdefault(run.tenant, TenantLoad(tenant=run.tenant))
                name = f"queued_{kind}s"
                tenants[run.tenant] = found.model_copy(update={name: getattr(found, name) + 1})
        return PlatformLoad(
            at=self._now(),
            tenants=list(tenants.values()),
            sandboxes=[SandboxLoad(node="node-1", available=self.sandbox is None, reason=self.sandbox, slots=2)],
            store=StoreLoad(kind="memory", answer_s=0.001),
        )

    # -- what happens to the runs --------------------------------------------------------------------------------------

    async def play(self, stream: str, *happened: Event) -> Sequence[EncodedEvent]:
        """Append ``happened`` to ``stream``."""
        return await self._store.append(stream, happened)

    async def finish(self, run: EvaluationRun, verdicts: Sequence[Verdict]) -> None:
        """Start ``run`` and finish it, with one verdict a test."""
        results = [
            TestResult(
                id=test.id,
                verdict=verdict,
                points=test.points if verdict is Verdict.ACCEPTED else 0.0,
                hidden=test.hidden,
                cpu_time_s=0.01,
                wall_time_s=0.02,
                stdout=f"output of {test.id}\n",
            )
            for test, verdict in zip(run.request.tests, verdicts, strict=True)
        ]
        overall = next((verdict for verdict in verdicts if verdict is not Verdict.ACCEPTED), Verdict.ACCEPTED)
        at: dict[str, object] = {"stream": run.stream, "time": self._now()}
        await self.play(
            run.stream,
            EvaluationStarted.model_validate({**at, "attempt": 1}),
            *(EvaluationTestFinished.model_validate({**at, "attempt": 1, "result": r}) for r in results),
            EvaluationFinished.model_validate(
                {
                    **at,
                    "verdict": overall,
                    "score": sum(result.points for result in results),
                    "max_score": run.document.max_score,
                    "tests": results,
                }
            ),
        )

    async def iterate(self, run: TrainingRun, first: int, last: int) -> None:
        """Iterations ``first`` to ``last``: 256 steps each, a return that climbs."""
        await self.play(run.stream, *(self._iteration(run, number) for number in range(first, last + 1)))

    async def succeed(self, run: TrainingRun) -> None:
        """The end of ``run``."""
        progress = (await self._training(run.id)).document.progress
        await self.play(
            run.stream,
            TrainingSucceeded(
                stream=run.stream,
                time=self._now(),
                simulated=run.document.simulated,
                stop_reason="env_steps",
                progress=progress,
            ),
        )

    def _iteration(self, run: TrainingRun, number: int) -> TrainingIterationCompleted:
        return TrainingIterationCompleted(
            stream=run.stream,
            time=self._now(),
            simulated=run.document.simulated,
            iteration=number,
            env_steps=256 * number,
            episodes=2 * number,
            train_wall_s=0.1 * number,
            metrics={"rollout/episode_return_mean": min(500.0, 10.0 * number)},
        )

    def _now(self) -> datetime:
        return self._clock.now()

    async def _evaluation(self, run_id: str) -> EvaluationRun:
        run = await self._store.get(run_id)
        assert isinstance(run, EvaluationRun)
        return run

    async def _study(self, run_id: str) -> StudyRun:
        run = await self._store.get(run_id)
        assert isinstance(run, StudyRun)
        return run

    async def _training(self, run_id: str) -> TrainingRun:
        run = await self._store.get(run_id)
        assert isinstance(run, TrainingRun)
        return run
