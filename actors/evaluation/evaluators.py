"""The evaluators of the cluster, and what each of them reported last."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from actors.options import EVALUATOR_PREFIX
from actors.ports import RemoteEvaluator
from rlplatform.clock import Clock
from rlplatform.errors import InvalidRequest, PlatformError, SandboxUnavailable, UnknownName
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.load import SandboxLoad
from rlplatform.retries import with_timeout
from rlplatform.sandbox.models import ImageInfo, PoolStatus, Tier, how_to_build

log = logging.getLogger(__name__)

STATUS_S = 5.0
"""Seconds in which an evaluator has to report its status."""
HUNG_S = 30.0
"""Seconds after which an evaluator that does not answer is ended."""
RETURN_S = 15.0
"""Seconds for which requests are accepted while the only evaluator is being replaced."""


class Evaluators:
    """Knows which evaluators answer, what they can run, and which of them hang.

    Args:
        clock: Source of time.
        on_lost: Called when an evaluator was lost, so that it is replaced soon.
    """

    def __init__(self, clock: Clock, on_lost: Callable[[], None]) -> None:
        self._clock = clock
        self._on_lost = on_lost
        self._links: dict[str, RemoteEvaluator] = {}
        self._statuses: dict[str, PoolStatus] = {}
        self._hanging_since: dict[str, float] = {}
        self._available_at = float("-inf")
        self.coming = False
        """True if an autoscaler brings nodes with sandboxes where there are none."""

    def __iter__(self) -> Iterator[RemoteEvaluator]:
        """Iterate over the evaluators that answered."""
        return iter(self._links.values())

    def __getitem__(self, name: str) -> RemoteEvaluator:
        return self._links[name]

    def usable(self) -> list[str]:
        """Return the names of the evaluators that have sandboxes, and whose nodes stay."""
        available = (name for name, status in self._statuses.items() if status.available)
        return [name for name in available if not self._links[name].leaving]

    def can_run(self, name: str, image: str | None) -> bool:
        """Return True if an evaluator has ``image``. While none has it, any may find out that it is gone."""
        if image is None or self._statuses[name].has_image(image):
            return True
        return not any(status.has_image(image) for status in self._available())

    def availability(self) -> tuple[bool, str | None]:
        """Return True if any evaluator has a sandbox, and otherwise the reason."""
        if self._available():
            return True, None
        reasons = sorted({status.reason or "unknown reason" for status in self._statuses.values()})
        none = "no node of the cluster offers sandboxes"
        return False, "; ".join(reasons) or (f"{none}; the autoscaler is asked for one" if self.coming else none)

    def returning(self) -> bool:
        """Return True if sandboxes were available a moment ago or an autoscaler brings some, and no evaluator reports
        why they are not there now."""
        return not self._statuses and (self.coming or self._clock.monotonic() - self._available_at < RETURN_S)

    def require(self, request: EvaluationRequest) -> None:
        """Check that the tier, the image and the packages of ``request`` are there.

        Without evaluators nothing is checked.

        Raises:
            SandboxUnavailable: the tier is configured and does not work; says why.
            InvalidRequest: no evaluator is configured for the tier, or the image lacks a package.
            UnknownName: no evaluator has the image.
        """
        self._require_tier(request.tier)
        self._require_image(request.own_image)
        self._require_packages(request.own_image, request.grader.packages)

    def _require_tier(self, tier: Tier) -> None:
        """Refuse a tier that no evaluator serves: waiting would not help."""
        statuses = self._available()
        if not statuses or any(status.serves(tier) for status in statuses):
            return
        if broken := sorted({status.broken[tier] for status in statuses if tier in status.broken}):
            raise SandboxUnavailable(f"tier {tier.value!r} cannot be served: {'; '.join(broken)}", field="tier")
        accepted = ", ".join(other.value for other in Tier if any(status.serves(other) for status in statuses))
        why = "; ".join(sorted({status.lacking[tier] for status in statuses}))
        raise InvalidRequest(f"tier: {tier.value!r} is not configured ({why}); accepted are {accepted}", field="tier")

    def _require_image(self, name: str | None) -> None:
        """Refuse an image that no evaluator has."""
        statuses = self._available()
        if name is None or not statuses or any(status.has_image(name) for status in statuses):
            return
        known = {image.name for status in statuses for image in status.images}
        raise UnknownName("image", name, known, field="image", hint=how_to_build(name))

    def _require_packages(self, name: str | None, packages: Sequence[str]) -> None:
        """Refuse an image without a package that the grader needs."""
        if not packages:
            return
        statuses = self._available()
        images = [image for status in statuses for image in status.images if image.name == (name or status.image)]
        missing = [next((one for one in packages if one not in image.packages), None) for image in images]
        if images and all(missing):
            others = sorted(
                {
                    image.name
                    for status in statuses
                    for image in status.images
                    if all(one in image.packages for one in packages)
                }
            )
            known = f"Choose {' or '.join(map(repr, others))}, or build" if others else "Build"
            raise InvalidRequest(
                f"image: {missing[0]} is not installed in image {images[0].name!r}. {known} one with it "
                "(rlp image build)",
                field="image",
            )

    def images(self) -> list[ImageInfo]:
        """Return the images that evaluators have, by name."""
        found: dict[tuple[str, str], ImageInfo] = {}
        for node, status in sorted(self._statuses.items()):
            for image in status.images if status.available else ():
                entry = found.get((image.name, image.digest))
                default = image.name == status.image
                found[image.name, image.digest] = ImageInfo(
                    **image.model_dump(),
                    default=default or (entry is not None and entry.default),
                    nodes=[*(entry.nodes if entry else ()), node],
                )
        return [found[key] for key in sorted(found)]

    def load(self, used: Mapping[str, int]) -> list[SandboxLoad]:
        """Return the sandboxes of each evaluator's node; ``used`` is the number of leases by evaluator."""
        return [
            SandboxLoad(
                node=name.removeprefix(EVALUATOR_PREFIX),
                available=status.available,
                reason=status.reason,
                slots=self._links[name].slots,
                used=used.get(name, 0),
                warm=status.warm,
            )
            for name, status in sorted(self._statuses.items())
        ]

    async def refresh(self, links: Sequence[RemoteEvaluator]) -> None:
        """Find evaluators, ask for the state of their sandboxes, and end evaluators that hang."""
        answers = await asyncio.gather(*map(self._ask, links))
        self._links = {}
        self._statuses = {}
        for link, (status, _) in zip(links, answers, strict=True):
            if isinstance(status, PoolStatus):
                self._links[link.name] = link
                self._statuses[link.name] = status
            else:
                log.warning("evaluator %s does not answer: %s", link.name, status)
        if self.availability()[0]:
            self._available_at = self._clock.monotonic()
        hanging = [link for link, (_, active) in zip(links, answers, strict=True) if isinstance(active, TimeoutError)]
        await self._end_if_long(hanging)

    async def _ask(self, link: RemoteEvaluator) -> list[Any]:
        """Ask an evaluator for its status and its runs.

        It can name its runs even while its sandbox pool is being prepared.
        """
        asked = (with_timeout(self._clock, STATUS_S, answer) for answer in (link.status(), link.active()))
        return await asyncio.gather(*asked, return_exceptions=True)

    async def _end_if_long(self, hanging: Sequence[RemoteEvaluator]) -> None:
        """End evaluators that have hung for ``HUNG_S`` seconds. Their runs are lost and judged again."""
        now = self._clock.monotonic()
        self._hanging_since = {link.name: self._hanging_since.get(link.name, now) for link in hanging}
        for link in hanging:
            if now - self._hanging_since[link.name] >= HUNG_S:
                log.error("evaluator %s hangs, and is ended", link.name)
                await link.end()

    def suspect(self, link: RemoteEvaluator, error: PlatformError) -> None:
        """Lease nothing to ``link`` until the next refresh finds it healthy."""
        log.warning("evaluator %s: %s", link.name, error)
        self._statuses.pop(link.name, None)
        self._on_lost()

    def _available(self) -> list[PoolStatus]:
        return [status for status in self._statuses.values() if status.available]
