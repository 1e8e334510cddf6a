"""Registrations of learning platforms, over a store."""

from __future__ import annotations

from rlplatform.clock import Clock
from rlplatform.errors import Conflict, NotFound
from rlplatform.ids import Kind, derived_id
from rlplatform.lti.models import LtiRegistration, LtiRegistrationRequest
from rlplatform.store import Document, DocumentStore

_REGISTRATION = "lti.registration"
_PAGE = 500


class Registrations:
    """Registrations of all tenants. A client id of an issuer is registered once."""

    def __init__(self, store: DocumentStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def add(self, request: LtiRegistrationRequest, tenant: str, by: str) -> LtiRegistration:
        """Register a platform for a tenant, or change its registration.

        Raises:
            Conflict: its client id is registered for another tenant.
        """
        found = LtiRegistration(
            **request.model_dump(exclude={"tenant"}),
            id=derived_id(Kind.LTI, request.issuer, request.client_id),
            tenant=tenant,
            created_at=self._clock.now(),
            created_by=by,
        )
        document = Document(_REGISTRATION, found.id, tenant, found.model_dump_json())
        stored = await self._store.add_document(document)
        if stored.owner != tenant:
            raise Conflict(f"{request.client_id!r} of {request.issuer} is registered for another tenant")
        if stored != document:
            await self._store.put_document(document)
        return found

    async def get(self, registration_id: str) -> LtiRegistration:
        """Return a registration.

        Raises:
            NotFound: there is none of this id.
        """
        found = await self._store.get_document(_REGISTRATION, registration_id)
        if found is None:
            raise NotFound("no such registration")
        return LtiRegistration.model_validate_json(found.record)

    async def of(self, issuer: str, client_id: str | None) -> LtiRegistration:
        """Return the registration of an issuer's client; without a client id, the only one of the issuer.

        Raises:
            NotFound: there is none, or there are several.
        """
        if client_id:
            return await self.get(derived_id(Kind.LTI, issuer, client_id))
        found = [one for one in await self.list() if one.issuer == issuer]
        if len(found) != 1:
            raise NotFound(f"{len(found)} registrations have this issuer, and no client_id was sent")
        return found[0]

    async def list(self, tenant: str | None = None) -> list[LtiRegistration]:
        """Return the registrations of a tenant, or of all."""
        found: list[LtiRegistration] = []
        before = None
        while page := await self._store.list_documents(_REGISTRATION, owner=tenant, before=before, limit=_PAGE):
            found += [LtiRegistration.model_validate_json(document.record) for document in page]
            before = page[-1].id
        return sorted(found, key=lambda one: one.created_at, reverse=True)

    async def remove(self, registration: LtiRegistration) -> None:
        """Remove a registration: its platform can launch nothing any more, and gets no grades. Idempotent."""
        await self._store.delete_document(_REGISTRATION, registration.id)
