"""Keys, usage, quotas and webhooks of tenants."""

from __future__ import annotations

from datetime import datetime

from rlplatform.access.models import KeyInfo
from rlplatform.access.principals import Principal, Scope
from rlplatform.quotas.models import QuotaState, TenantQuotas, Usage
from rlplatform.webhooks.models import EVENTS, Delivery, Webhook


def key(info: KeyInfo, now: datetime) -> dict[str, str]:
    """An API key as a row of a list, as it is ``now``."""
    state = "active"
    if info.revoked_at is not None:
        state = "revoked"
    elif info.expires_at is not None:
        state = f"{'until' if now < info.expires_at else 'expired'} {info.expires_at.astimezone():%Y-%m-%d %H:%M}"
    holder = Principal(id=info.id, tenant=info.tenant, scopes=frozenset(info.scopes))
    scopes = " ".join(scope for scope in Scope if holder.has(scope))  # admin includes others
    return {"ID": info.id, "NAME": info.name, "TENANT": info.tenant, "SCOPES": scopes, "STATE": state}


def usage(usage: Usage) -> str:
    """Return a tenant's usage as text: runs at work, and totals of today."""
    return "\n".join(
        (
            f"evaluations: {usage.running_evaluations} running, {usage.queued_evaluations} queued; "
            f"today {usage.evaluations_today:,} with {usage.sandbox_cpu_time_s_today:,.1f} s of CPU",
            f"trainings: {usage.active_trainings} active, {usage.queued_trainings} queued; "
            f"today {usage.trainings_today:,} with {usage.env_steps_today:,} steps",
            f"events: {usage.events_today:,} today; {usage.stored_bytes / 2**20:,.1f} MiB stored with requests",
            *(_quota(state) for state in usage.quotas if state.limit is not None),
        )
    )


def _quota(state: QuotaState) -> str:
    until = f", until {state.resets_at.astimezone():%Y-%m-%d %H:%M}" if state.resets_at is not None else ""
    return f"quota {state.quota}: {state.used:,.12g} of {state.limit:,.12g}{until}"


def quotas(found: TenantQuotas) -> str:
    """A tenant's quotas as text: a line each, with whether it is the default."""
    lines = []
    for name, limit in found.quotas.model_dump().items():
        value = "no limit" if limit is None else f"{limit:,.12g}"
        lines.append(f"{name:<24}{value:>20}  {'set' if name in found.overrides else 'default'}")
    return "\n".join(lines)


def webhook(webhook: Webhook) -> dict[str, str]:
    """A webhook as a row of a list."""
    state = "enabled" if webhook.enabled else f"disabled: {webhook.disabled_reason}"
    if webhook.enabled and webhook.failing_since is not None:
        state = f"failing since {webhook.failing_since.astimezone():%Y-%m-%d %H:%M}"
    events_ = "all" if len(webhook.events) == len(EVENTS) else " ".join(webhook.events)
    events_ += " (with hidden tests)" if webhook.include_hidden else ""
    return {"ID": webhook.id, "URL": webhook.url, "EVENTS": events_, "STATE": state}


def delivery(delivery: Delivery) -> dict[str, str]:
    """A delivery as a row of a list: what its last attempt came to."""
    last = delivery.attempts[-1] if delivery.attempts else None
    result = str(last.status or last.error) if last else ""
    if delivery.next_attempt_at is not None:
        result += f"; again at {delivery.next_attempt_at.astimezone():%H:%M:%S}"
    return {
        "ID": delivery.id,
        "TYPE": delivery.type,
        "RUN": delivery.run_id or "",
        "STATE": delivery.state,
        "ATTEMPTS": str(len(delivery.attempts)),
        "RESULT": result,
    }
