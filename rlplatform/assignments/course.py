"""All services of assignments, wired together."""

from __future__ import annotations

from rlplatform.assignments.grading.archives import ArchiveService
from rlplatform.assignments.grading.regrades import RegradeService
from rlplatform.assignments.grading.remarks import RemarkService
from rlplatform.assignments.people.invitations import Invitations
from rlplatform.assignments.people.membership import Membership
from rlplatform.assignments.people.rosters import RosterImport
from rlplatform.assignments.ports import AssignmentCommands
from rlplatform.assignments.reader import AssignmentReader
from rlplatform.assignments.repository import AssignmentRepository
from rlplatform.assignments.service import AssignmentService
from rlplatform.assignments.similarity.requests import SimilarityService
from rlplatform.assignments.submissions.acceptance import SubmissionService
from rlplatform.assignments.submissions.checks import SubmissionCheck
from rlplatform.assignments.submissions.reader import SubmissionReader
from rlplatform.clock import Clock
from rlplatform.files.service import FileService
from rlplatform.settings import EvaluationSettings
from rlplatform.store import Store


class CourseServices:
    """Services of assignments, over a store. Any number of processes may have them.

    Args:
        commands: checks assignments and judges submissions.
        files: uploaded files; None: there are none.
        settings: the operator's maxima of limits.
        cache_bytes: how many bytes of files a node can have at one time.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        commands: AssignmentCommands,
        files: FileService | None,
        settings: EvaluationSettings,
        cache_bytes: int,
    ) -> None:
        reader = AssignmentReader(store, clock)
        check = SubmissionCheck(files, settings, cache_bytes)
        self.members: Membership = reader.members
        self.invitations = Invitations(store, clock, reader.members)
        self.rosters = RosterImport(self.members, self.invitations)
        self.repository: AssignmentRepository = reader.repository
        self.assignments = AssignmentService(reader, clock, commands, check)
        self.submissions = SubmissionService(reader, clock, commands, check)
        self.regrades = RegradeService(self.repository, self.members, clock, commands)
        self.submission_reader = SubmissionReader(reader)
        self.remarks = RemarkService(reader, self.submission_reader, clock)
        self.similarity = SimilarityService(reader, clock, commands)
        self.archives = ArchiveService(reader, self.submission_reader, self.assignments, files)
