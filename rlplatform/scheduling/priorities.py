"""Priority of a run among those of its own tenant."""

from __future__ import annotations

from typing import Literal, get_args

from rlplatform.access.principals import Principal, Scope
from rlplatform.errors import NotAllowed

Priority = Literal["high", "normal", "low"]
PRIORITIES: tuple[Priority, ...] = get_args(Priority)


def check_priority(priority: Priority, principal: Principal) -> None:
    """Check that the principal may use ``priority``.

    Raises:
        NotAllowed: ``high``, ahead of all others of the tenant, is for its administrators.
    """
    if priority == "high" and not principal.has(Scope.ADMIN):
        detail = "priority 'high' needs the scope 'admin'; accepted are 'normal' and 'low'"
        raise NotAllowed(detail, scope=Scope.ADMIN.value, field="priority")
