"""Assignments, works and regrades in the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

from pydantic import TypeAdapter

from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.grading.grades import Overlay
from rlplatform.assignments.models import AssignmentState, CourseSettings
from rlplatform.assignments.record import AssignmentRun, RegradeRun, WorkRun
from rlplatform.assignments.work import Marks
from rlplatform.errors import InvalidRequest, NotFound
from rlplatform.evaluation.attachments import evaluation_that_uses
from rlplatform.evaluation.sources import SourceFile
from rlplatform.files.models import FileRef
from rlplatform.ids import Kind, check_id, derived_id
from rlplatform.json_models import StrictModel
from rlplatform.store import Document, Store

_VERSION, _CONTENT, _PLAN, _RESULT = "assignment.version", "submission", "regrade.plan", "regrade.result"
_COURSE, _HOLD = "course", "file.hold"
_PAGE = 200
_PLANNED = 500


class StoredContent(StrictModel):
    """Files of a submission, as the store keeps them."""

    files: list[SourceFile]
    archive: FileRef | None = None

    @property
    def file_ids(self) -> list[str]:
        """Ids of the uploaded files among them."""
        ids = [file.content.file for file in self.files if isinstance(file.content, FileRef)]
        return [*ids, self.archive.file] if self.archive is not None else ids


class PlannedSubmission(StrictModel):
    """A submission that a regrade judges again."""

    work_id: str
    submission_id: str


_PLANS = TypeAdapter(list[PlannedSubmission])


def assignment_id(tenant: str, name: str) -> str:
    """Return the id of the assignment ``name`` of a tenant."""
    return derived_id(Kind.ASSIGNMENT, tenant, name)


def work_id(assignment: str, member: str) -> str:
    """Return the id of a member's work on an assignment, both by their ids."""
    return derived_id(Kind.WORK, assignment, member)


class AssignmentRepository:
    """Reads and writes records and documents of assignments. Definitions are immutable, and kept in memory."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._definitions: dict[str, AssignmentRequest] = {}
        self._overlays: dict[str, Overlay] = {}

    # -- assignments ---------------------------------------------------------------------------------------------------

    async def assignment(self, tenant: str, name: str) -> AssignmentRun:
        """Return an assignment.

        Raises:
            NotFound: there is none of this name.
        """
        try:
            return await self.assignment_by_id(assignment_id(tenant, name))
        except NotFound:
            raise NotFound("no such assignment") from None

    async def assignment_by_id(self, run_id: str) -> AssignmentRun:
        """Return an assignment.

        Raises:
            NotFound: there is none of this id.
        """
        run = await self.store.get(run_id)
        assert isinstance(run, AssignmentRun)
        return run

    async def assignments(self, tenant: str) -> list[AssignmentRun]:
        """Return all assignments of a tenant."""
        found: list[AssignmentRun] = []
        before = None
        while page := await self.store.find("assignment", tenant=tenant, before=before, limit=_PAGE):
            found += [run for run in page if isinstance(run, AssignmentRun)]
            before = page[-1].id
        return found

    async def keep_definition(self, run_id: str, sha256: str, definition: AssignmentRequest) -> None:
        """Store a definition under its hash. Idempotent."""
        document = Document(_VERSION, f"{run_id}.{sha256}", run_id, definition.model_dump_json())
        await self.store.add_document(document)

    async def definition(self, state: AssignmentState, number: int | None = None) -> AssignmentRequest:
        """Return the definition of a version; None: the newest.

        Raises:
            NotFound: there is no such version.
        """
        if number is not None and not 1 <= number <= len(state.versions):
            raise NotFound(f"no version {number} of {state.name}; there are 1 to {len(state.versions)}")
        version = state.newest if number is None else state.versions[number - 1]
        key = f"{state.id}.{version.sha256}"
        if (known := self._definitions.get(key)) is None:
            stored = await self.store.get_document(_VERSION, key)
            assert stored is not None, "a version is stored before it is published"
            known = AssignmentRequest.model_validate_json(stored.record)
            if len(self._definitions) >= _PAGE:
                self._definitions.pop(next(iter(self._definitions)))
            self._definitions[key] = known
        return known

    # -- works ---------------------------------------------------------------------------------------------------------

    async def work(self, run_id: str) -> WorkRun | None:
        """Return a member's work; None if nothing was submitted."""
        try:
            run = await self.store.get(run_id)
        except NotFound:
            return None
        assert isinstance(run, WorkRun)
        return run

    async def works(self, tenant: str, assignment: str) -> list[WorkRun]:
        """Return the works of all members on an assignment, by its id."""
        found: list[WorkRun] = []
        before = None
        states = (assignment, "pending")
        while page := await self.store.find("work", tenant=tenant, states=states, before=before, limit=_PAGE):
            found += [run for run in page if isinstance(run, WorkRun) and run.document.assignment_id == assignment]
            before = page[-1].id
        return found

    async def pending_works(self) -> AsyncIterator[WorkRun]:
        """Yield the works of all tenants in which a submission waits to be judged."""
        before = None
        while page := await self.store.find("work", states=("pending",), before=before, limit=_PAGE):
            for run in page:
                assert isinstance(run, WorkRun)
                yield run
            before = page[-1].id

    async def keep_content(self, submission_id: str, work: str, content: StoredContent) -> None:
        """Store the files of a submission. Idempotent."""
        await self.store.add_document(Document(_CONTENT, submission_id, work, content.model_dump_json()))

    async def content(self, submission_id: str) -> StoredContent:
        """Return the files of a submission.

        Raises:
            NotFound: there are none.
        """
        stored = await self.store.get_document(_CONTENT, submission_id)
        if stored is None:
            raise NotFound("the files of the submission are gone")
        return StoredContent.model_validate_json(stored.record)

    async def work_of(self, submission_id: str) -> str | None:
        """Return the id of the work that a submission belongs to; None if there is none."""
        stored = await self.store.get_document(_CONTENT, submission_id)
        return stored.owner if stored is not None else None

    async def forget_content(self, submission_id: str) -> None:
        """Delete the files of a submission that was not accepted. Idempotent."""
        await self.store.delete_document(_CONTENT, submission_id)

    # -- regrades ------------------------------------------------------------------------------------------------------

    async def regrade(self, run_id: str, assignment: str) -> RegradeRun:
        """Return a regrade of an assignment.

        Raises:
            NotFound: there is none of this id.
        """
        try:
            run = await self.store.get(check_id(run_id, Kind.REGRADE))
        except (InvalidRequest, NotFound):
            raise NotFound("no such regrade") from None
        assert isinstance(run, RegradeRun)
        if run.document.assignment_id != assignment:
            raise NotFound("no such regrade")
        return run

    async def regrades(self, tenant: str | None = None, states: Sequence[str] = ()) -> list[RegradeRun]:
        """Return regrades, newest first."""
        found: list[RegradeRun] = []
        before = None
        while page := await self.store.find("regrade", tenant=tenant, states=states, before=before, limit=_PAGE):
            found += [run for run in page if isinstance(run, RegradeRun)]
            before = page[-1].id
        return found

    async def keep_plan(self, regrade: str, planned: Sequence[PlannedSubmission], start: int = 0) -> None:
        """Store what a regrade judges again, after the first ``start`` submissions. Idempotent."""
        for first in range(0, len(planned), _PLANNED):
            record = _PLANS.dump_json(list(planned[first : first + _PLANNED])).decode()
            await self.store.add_document(Document(_PLAN, f"{regrade}.{start + first:09d}", regrade, record))

    async def plan(self, regrade: str) -> list[PlannedSubmission]:
        """Return what a regrade judges again, in order."""
        found: list[Document] = []
        before = None
        while page := await self.store.list_documents(_PLAN, owner=regrade, before=before, limit=_PAGE):
            found += page
            before = page[-1].id
        return [one for document in reversed(found) for one in _PLANS.validate_json(document.record)]

    async def keep_result(self, regrade: str, submission_id: str, marks: Marks) -> None:
        """Store a result of a regrade. The first one holds."""
        document = Document(_RESULT, f"{regrade}.{submission_id}", regrade, marks.model_dump_json())
        await self.store.add_document(document)

    async def results(self, regrade: str) -> dict[str, Marks]:
        """Return the results of a regrade so far, by the ids of submissions."""
        found: dict[str, Marks] = {}
        before = None
        while page := await self.store.list_documents(_RESULT, owner=regrade, before=before, limit=_PLANNED):
            for document in page:
                found[document.id.partition(".")[2]] = Marks.model_validate_json(document.record)
            before = page[-1].id
        return found

    async def overlay(self, state: AssignmentState) -> Overlay:
        """Return the results of the committed regrade. They never change, and are kept in memory."""
        if state.regrade is None:
            return {}
        if (known := self._overlays.get(state.regrade)) is None:
            known = await self.results(state.regrade)
            if len(self._overlays) >= 20:
                self._overlays.pop(next(iter(self._overlays)))
            self._overlays[state.regrade] = known
        return known

    # -- files and settings --------------------------------------------------------------------------------------------

    async def hold_files(self, owner: str, file_ids: Iterable[str]) -> None:
        """Note that an assignment or a submission refers to uploaded files, so that nobody deletes them."""
        for file_id in dict.fromkeys(file_ids):
            await self.store.add_document(Document(_HOLD, f"{file_id}.{owner}", file_id, owner))

    async def course(self, tenant: str) -> CourseSettings:
        """Return the settings of a tenant as a course."""
        found = await self.store.get_document(_COURSE, tenant)
        return CourseSettings.model_validate_json(found.record) if found is not None else CourseSettings()

    async def set_course(self, tenant: str, settings: CourseSettings) -> None:
        """Set the settings of a tenant as a course."""
        await self.store.put_document(Document(_COURSE, tenant, tenant, settings.model_dump_json()))


async def run_that_uses(store: Store, tenant: str, file_id: str) -> str | None:
    """Return the id of an unfinished evaluation, an assignment or a submission that refers to a file of ``tenant``;
    None if there is none."""
    if (evaluation := await evaluation_that_uses(store, tenant, file_id)) is not None:
        return evaluation
    found = await store.list_documents(_HOLD, owner=file_id, limit=1)
    return found[0].record if found else None
