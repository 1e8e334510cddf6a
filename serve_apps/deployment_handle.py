"""Calls of a Serve deployment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from actors.rpc.ray_calls import ask, first_line, result
from rlplatform.errors import Unavailable


class DeploymentHandle:
    """Calls of a deployment, which ``lookup`` finds at the first one.

    Args:
        lookup: Finds the deployment.
        what: What it serves, for messages.
        patience_s: Seconds that a call may take.
    """

    def __init__(self, lookup: Callable[[], Any], what: str, patience_s: float) -> None:
        self._lookup = lookup
        self._what = what
        self._patience_s = patience_s
        self._deployment: Any = None

    async def call(self, method: str, *args: Any) -> Any:
        """Call a method of the deployment.

        Raises:
            Unavailable: no replica answered in time.
        """
        from ray.serve.exceptions import RayServeException  # seconds, and here Serve runs already

        self._deployment = self._deployment or self._lookup()
        response = ask(self._deployment, method, *args)
        try:
            return await asyncio.wait_for(result(response, method), self._patience_s)
        except TimeoutError:
            who = f"no replica for {self._what}"
            raise Unavailable(f"{method}: {who} answered within {self._patience_s:g} s") from None
        except RayServeException as error:
            raise Unavailable(f"{method}: {first_line(error)}") from None
