"""Passback: sends grades to the gradebooks that learners came from, whenever they change.

What was sent is in the store: a new process continues where the last one stopped, and nothing is lost while a platform
is away.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from rlplatform.assignments.grading.grades import grade_of
from rlplatform.assignments.people.membership import Membership
from rlplatform.assignments.repository import AssignmentRepository, work_id
from rlplatform.clock import Clock
from rlplatform.errors import NotFound, PlatformError
from rlplatform.lti.grade_links import GradeLink, GradeLinks
from rlplatform.lti.gradebook import Column, Gradebook, Score
from rlplatform.lti.registrations import Registrations
from rlplatform.retries import backoff_s
from rlplatform.store import Store

log = logging.getLogger(__name__)

POLL_S = 15.0
_FIRST_S, _MOST_S = 30.0, 3600.0


class GradePassback:
    """Sends until it is cancelled."""

    def __init__(self, store: Store, gradebook: Gradebook, clock: Clock) -> None:
        self._repository = AssignmentRepository(store)
        self._members = Membership(store, clock)
        self._links = GradeLinks(store)
        self._registrations = Registrations(store, clock)
        self._gradebook = gradebook
        self._clock = clock

    async def run(self) -> None:
        """Send what has changed, again and again; what fails is tried again later."""
        while True:
            try:
                await self.round()
            except Exception:
                log.exception("grades wait: a round broke off")
            await self._clock.sleep(POLL_S)

    async def round(self) -> int:
        """Send the grades that have changed; return how many were accepted."""
        accepted = 0
        async for link in self._links.all():
            if link.retry_at is None or link.retry_at <= self._clock.now():
                accepted += await self._send(link)
        return accepted

    async def _send(self, link: GradeLink) -> bool:
        try:
            registration = await self._registrations.get(link.registration_id)
            run = await self._repository.assignment_by_id(link.assignment_id)
            member = await self._members.find(link.member_id, link.tenant)
        except NotFound:
            return False  # nobody waits for the grade any more
        definition = await self._repository.definition(run.document)
        work = await self._repository.work(work_id(link.assignment_id, link.member_id))
        overlay = await self._repository.overlay(run.document)
        grade = grade_of(definition, run.document, member, work.document if work else None, overlay)
        score = Score(link.user_id, grade.points, grade.max_points, self._clock.now())
        now_is = f"{grade.points}/{grade.max_points}"
        if now_is == link.sent or (grade.points is None and link.sent is None):
            return False
        try:
            lineitem = link.lineitem
            if lineitem is None and link.lineitems is not None:
                column = Column(definition.title, grade.max_points, link.resource_link_id)
                lineitem = await self._gradebook.make_column(registration, link.lineitems, column)
                link = link.model_copy(update={"lineitem": lineitem})
            if lineitem is None:
                return False
            await self._gradebook.send(registration, lineitem, score)
        except PlatformError as error:
            await self._postpone(link, error)
            return False
        await self._links.put(link.model_copy(update={"sent": now_is, "failures": 0, "retry_at": None}))
        return True

    async def _postpone(self, link: GradeLink, error: PlatformError) -> None:
        wait_s = backoff_s(link.failures + 1, _FIRST_S, _MOST_S, 2.0)
        log.warning("the grade of %s waits %g s for its platform: %s", link.member_id, wait_s, error)
        retry_at = self._clock.now() + timedelta(seconds=wait_s)
        await self._links.put(link.model_copy(update={"failures": link.failures + 1, "retry_at": retry_at}))
