"""The tool as the API offers it: logins, launches, links to choose, and the tool's own keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from rlplatform.assignments.models import AssignmentCard
from rlplatform.assignments.people.membership import Membership
from rlplatform.assignments.repository import assignment_id
from rlplatform.assignments.service import AssignmentService
from rlplatform.clock import Clock
from rlplatform.errors import NotFound
from rlplatform.ids import Kind
from rlplatform.lti.claims import DEEP_LINKING, LTI, SCORE
from rlplatform.lti.grade_links import GradeLink, GradeLinks
from rlplatform.lti.launches import Launched, Launches
from rlplatform.lti.models import LtiTool
from rlplatform.lti.people import LtiPeople
from rlplatform.lti.registrations import Registrations
from rlplatform.lti.tool_key import ToolKey
from rlplatform.settings import AccessSettings
from rlplatform.sign_in.models import SignInRefused
from rlplatform.store import Store

LOGIN, LAUNCH, KEYS = "lti/login", "lti/launch", "lti/keys"
_LINK_S = 300


class Choice(NamedTuple):
    """An assignment that a teacher can link to: its title, and the signed answer for the platform."""

    title: str
    answer: str


class LtiService:
    """LTI 1.3 tool of this deployment."""

    def __init__(
        self,
        settings: AccessSettings,
        store: Store,
        assignments: AssignmentService,
        members: Membership,
        clock: Clock,
    ) -> None:
        base = (settings.public_url or "").rstrip("/")
        self.registrations = Registrations(store, clock)
        self.tool = LtiTool(login_url=f"{base}/{LOGIN}", launch_url=f"{base}/{LAUNCH}", keys_url=f"{base}/{KEYS}")
        self.key = ToolKey(store, settings.pepper)
        self.launches = Launches(
            self.registrations,
            LtiPeople(members),
            settings.pepper,
            self.tool.launch_url,
            clock,
            2 * settings.ticket_life_s,
        )
        self._links = GradeLinks(store)
        self._assignments = assignments
        self._clock = clock

    async def login(self, asked: Mapping[str, str]) -> tuple[str, str]:
        """Begin a launch (see :meth:`Launches.begin`)."""
        return await self.launches.begin(asked)

    async def route(self, launched: Launched) -> str:
        """Return the route of the page that a launch leads to, and note where the learner's grade goes."""
        name = launched.launch.assignment
        if name is None:
            return "/assignments"
        try:
            await self._assignments.show(name, launched.principal)
        except NotFound:
            return "/assignments"
        await self._note(launched, name)
        return f"/assignments/{name}"

    async def choices(self, launched: Launched) -> list[Choice]:
        """Return the assignments that a teacher can link to.

        Raises:
            SignInRefused: the person does not teach, or the platform accepts no links.
        """
        wanted = launched.launch.deep_linking
        assert wanted is not None, "a request for links has settings"
        if not launched.launch.is_staff:
            raise SignInRefused("no_access", "only teachers choose links")
        if "ltiResourceLink" not in wanted.accept_types:
            raise SignInRefused("not_valid", "the platform accepts no links to tools")
        cards = (await self._assignments.list(launched.principal)).items
        return [Choice(card.title, await self._answer(launched, card)) for card in cards]

    async def _answer(self, launched: Launched, card: AssignmentCard) -> str:
        """Return the signed answer that links to one assignment (Deep Linking 2.0, 3.3)."""
        registration, wanted = launched.registration, launched.launch.deep_linking
        assert wanted is not None
        now = int(self._clock.now().timestamp())
        item: dict[str, Any] = {
            "type": "ltiResourceLink",
            "title": card.title,
            "url": f"{self.tool.launch_url}?assignment={card.name}",
            "custom": {"assignment": card.name},
            "lineItem": {"scoreMaximum": card.max_points, "label": card.title, "resourceId": card.name},
            "window": {"targetName": "_blank"},
        }
        claims: dict[str, Any] = {
            "iss": registration.client_id,
            "aud": registration.issuer,
            "iat": now,
            "exp": now + _LINK_S,
            "nonce": launched.nonce,
            f"{LTI}message_type": "LtiDeepLinkingResponse",
            f"{LTI}version": "1.3.0",
            f"{LTI}deployment_id": launched.launch.deployment_id,
            f"{DEEP_LINKING}content_items": [item],
        }
        if wanted.data is not None:
            claims[f"{DEEP_LINKING}data"] = wanted.data
        return await self.key.sign(claims)

    async def _note(self, launched: Launched, name: str) -> None:
        launch, principal = launched.launch, launched.principal
        learner = principal.id.startswith(f"{Kind.MEMBER.value}_") and not launch.is_staff
        if launch.grades is None or launch.resource_link is None or SCORE not in launch.grades.scope or not learner:
            return
        await self._links.keep(
            GradeLink(
                tenant=principal.tenant,
                registration_id=launched.registration.id,
                assignment_id=assignment_id(principal.tenant, name),
                member_id=principal.id,
                user_id=launch.sub,
                resource_link_id=launch.resource_link.id,
                lineitem=launch.grades.lineitem,
                lineitems=launch.grades.lineitems,
            )
        )
