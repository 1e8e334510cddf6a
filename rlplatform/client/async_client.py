"""The client for programs on asyncio. :mod:`rlplatform.client.sync_client` is generated from it."""

from __future__ import annotations

from rlplatform.client.resources.access import AccessCalls
from rlplatform.client.resources.assignments import AssignmentCalls
from rlplatform.client.resources.comparisons import ComparisonCalls
from rlplatform.client.resources.environments import EnvironmentCalls
from rlplatform.client.resources.episodes import EpisodeCalls
from rlplatform.client.resources.files import FileCalls
from rlplatform.client.resources.images import ImageCalls
from rlplatform.client.resources.lti import LtiCalls
from rlplatform.client.resources.members import MemberCalls
from rlplatform.client.resources.platform import PlatformCalls
from rlplatform.client.resources.policies import PolicyCalls
from rlplatform.client.resources.quotas import QuotaCalls
from rlplatform.client.resources.runs import RunCalls
from rlplatform.client.resources.webhooks import WebhookCalls


class AsyncClient(
    RunCalls,
    AssignmentCalls,
    ComparisonCalls,
    EnvironmentCalls,
    PolicyCalls,
    EpisodeCalls,
    FileCalls,
    ImageCalls,
    LtiCalls,
    MemberCalls,
    AccessCalls,
    QuotaCalls,
    WebhookCalls,
    PlatformCalls,
):
    """Talks to a platform; returns the platform's own models and raises its own errors (``rlplatform.errors``).

    A call that fails for a passing reason is repeated, which is safe: calls that create runs carry an Idempotency-Key.
    Use a client from one thread or event loop at a time. Close it, or use it as a context manager.

    Args:
        url: the platform's address; without it ``RLP_URL`` or the nearest ``.rlp/local.json``.
        api_key: the key for that address; without it ``RLP_API_KEY`` or the one in that file.
        retry: when a failed call is repeated.
        transport: replaces the network, in tests.
        sleep: replaces the waiting between attempts, in tests.
    """
