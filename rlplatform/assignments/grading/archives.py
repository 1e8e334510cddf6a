"""Archive of an assignment: everything that staff may want to keep of it, as entries of a ZIP file."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from rlplatform.access.principals import Principal, Scope
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.grading.documents import Grades
from rlplatform.assignments.grading.formats import to_csv, to_gradescope
from rlplatform.assignments.grading.grades import Overlay
from rlplatform.assignments.people.models import Member
from rlplatform.assignments.reader import AssignmentReader
from rlplatform.assignments.record import AssignmentRun, WorkRun
from rlplatform.assignments.service import AssignmentService
from rlplatform.assignments.submissions.reader import SubmissionReader, Submitted
from rlplatform.evaluation.attachments import attachments
from rlplatform.evaluation.sources import SourceFile
from rlplatform.files.models import FileRef
from rlplatform.files.ports import FileReader
from rlplatform.files.service import FileService

_CONTENTS = """\
{title}

assignment/   the statement, the starter files, and each version with its tests
files/        uploaded files that the assignment refers to
grades.csv    one row for each learner; grades.json has the same, gradescope.json the results.json of each
submissions/  a folder for each member, by external id: work.json (extension, adjustments, comments), and for
              each submission its files and result.json
"""


class ArchiveEntry(NamedTuple):
    """One file of an archive: its path, the time that it is of, and its bytes."""

    path: str
    time: datetime
    content: bytes | FileReader


class ArchiveService:
    """Archives of the assignments of all tenants, for staff."""

    def __init__(
        self,
        reader: AssignmentReader,
        submissions: SubmissionReader,
        assignments: AssignmentService,
        files: FileService | None,
    ) -> None:
        self._repository = reader.repository
        self._members = reader.members
        self._submissions = submissions
        self._assignments = assignments
        self._files = files

    async def open(self, name: str, principal: Principal) -> AsyncGenerator[ArchiveEntry]:
        """Return the entries of the archive of an assignment, read one by one as they are asked for.

        Whoever gets an entry with a reader closes the reader.

        Raises:
            NotAllowed: ``principal`` is a learner.
            NotFound: there is no such assignment.
        """
        principal.require(Scope.READ)
        grades = await self._assignments.grades(name, principal)
        run = await self._repository.assignment(principal.tenant, name)
        works = await self._repository.works(principal.tenant, run.id)
        members = {member.id: member for member in await self._members.list(principal.tenant)}
        return self._entries(run, grades, works, members, principal)

    async def _entries(
        self,
        run: AssignmentRun,
        grades: Grades,
        works: list[WorkRun],
        members: dict[str, Member],
        principal: Principal,
    ) -> AsyncGenerator[ArchiveEntry]:
        state = run.document
        async for entry in self._assignment(run, principal):
            yield entry
        now = max([state.newest.created_at, *(work.document.created_at for work in works)])
        yield ArchiveEntry("grades.csv", now, to_csv(grades).encode())
        yield ArchiveEntry("grades.json", now, grades.model_dump_json(indent=1).encode())
        yield ArchiveEntry("gradescope.json", now, _json(to_gradescope(grades)))
        definition = await self._repository.definition(state)
        overlay = await self._repository.overlay(state)
        for work in sorted(works, key=lambda work: members[work.document.member_id].external_id):
            async for entry in self._work(run, definition, work, members[work.document.member_id], overlay, principal):
                yield entry

    async def _assignment(self, run: AssignmentRun, principal: Principal) -> AsyncGenerator[ArchiveEntry]:
        state, uploaded = run.document, dict[str, datetime]()
        for version in state.versions:
            definition = await self._repository.definition(state, version.number)
            path, at = f"assignment/version-{version.number}.json", version.created_at
            yield ArchiveEntry(path, at, definition.model_dump_json(indent=1).encode())
            request = definition.evaluation([SourceFile(path=definition.entry, content="")])
            uploaded |= {one.file_id: at for one in attachments(request)}
        at = state.newest.created_at
        yield ArchiveEntry("README.txt", at, _CONTENTS.format(title=definition.title).encode())
        yield ArchiveEntry("assignment/statement.md", at, definition.statement.encode())
        for folder, files in (("starter", definition.starter), ("provided", definition.provided)):
            async for entry in self._sources(f"assignment/{folder}", files, at, principal):
                yield entry
        for file_id, at in uploaded.items():
            if self._files is not None:
                info = await self._files.find(file_id, principal)
                reader = await self._files.open(file_id, principal)
                yield ArchiveEntry(f"files/{file_id}-{_segment(info.name)}", at, reader)

    async def _work(
        self,
        run: AssignmentRun,
        definition: AssignmentRequest,
        work: WorkRun,
        member: Member,
        overlay: Overlay,
        principal: Principal,
    ) -> AsyncGenerator[ArchiveEntry]:
        folder = f"submissions/{_segment(member.external_id)}"
        extension = run.document.extensions.get(member.id)
        about = {
            "member": member.model_dump(mode="json"),
            "extension": extension.model_dump(mode="json") if extension is not None else None,
            **work.document.model_dump(mode="json", include={"adjustments", "comments"}),
        }
        yield ArchiveEntry(f"{folder}/work.json", work.document.created_at, _json(about))
        for record in work.document.submissions:
            detail = await self._submissions.detail(
                Submitted(run, definition, work, record), member, overlay, staff=True
            )
            place, at = f"{folder}/{record.number}-{record.id}", record.submitted_at
            yield ArchiveEntry(f"{place}/result.json", at, _json(detail.model_dump(mode="json", exclude={"content"})))
            async for entry in self._sources(f"{place}/files", detail.content, at, principal):
                yield entry

    async def _sources(
        self, folder: str, files: Iterable[SourceFile], at: datetime, principal: Principal
    ) -> AsyncGenerator[ArchiveEntry]:
        for file in files:
            if not isinstance(file.content, FileRef):
                yield ArchiveEntry(f"{folder}/{file.path}", at, file.content.encode())
            elif self._files is not None:
                yield ArchiveEntry(f"{folder}/{file.path}", at, await self._files.open(file.content.file, principal))


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode()


def _segment(name: str) -> str:
    """Return ``name`` as one segment of a path on any system: everything unusual is percent-encoded."""
    return quote(name.encode()[:200], safe=" @+=,") if name.strip(".") else quote(name).replace(".", "%2E")
