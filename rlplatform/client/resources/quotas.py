"""Calls for quotas, and for what a tenant has used of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import Call, reads, segment, with_json
from rlplatform.quotas.models import TenantQuotas, Usage
from rlplatform.settings import Quotas


class QuotaCalls(AsyncTransport):
    """Read usage and quotas; operators set them."""

    async def usage(self) -> Usage:
        """Return the tenant's usage, now and today, and its quotas."""
        return await self._send(Call("GET", "/v1/usage", reads(Usage)))

    async def quotas(self, tenant: str) -> TenantQuotas:
        """Return the quotas of a tenant.

        Raises:
            NotFound: the tenant is another's, and this client is not an operator's.
        """
        return await self._send(Call("GET", f"/v1/tenants/{segment(tenant)}/quotas", reads(TenantQuotas)))

    async def set_quotas(self, tenant: str, quotas: Quotas | Mapping[str, Any]) -> TenantQuotas:
        """Set the quotas that are given, and the defaults for all others.

        Raises:
            NotAllowed: this client is not an operator's.
        """
        return await self._send(with_json("PUT", f"/v1/tenants/{segment(tenant)}/quotas", quotas, TenantQuotas))

    async def reset_quotas(self, tenant: str) -> TenantQuotas:
        """Return a tenant to the default quotas.

        Raises:
            NotAllowed: this client is not an operator's.
        """
        return await self._send(Call("DELETE", f"/v1/tenants/{segment(tenant)}/quotas", reads(TenantQuotas)))
