"""The Python client: :class:`Client` and :class:`AsyncClient`. Needs neither Ray nor torch."""

from rlplatform.client.async_client import AsyncClient
from rlplatform.client.retry import Retry
from rlplatform.client.sync_client import Client

__all__ = ["AsyncClient", "Client", "Retry"]
