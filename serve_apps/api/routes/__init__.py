"""The routes of the API, by resource. A new resource is a module here and a line in ``ROUTERS``."""

from serve_apps.api.routes import (
    checkpoints,
    compare,
    environments,
    episodes,
    evaluations,
    events,
    files,
    health,
    images,
    keys,
    live,
    policies,
    runs,
    studies,
    trainings,
    usage,
    webhooks,
)

# the first that matches answers: the most frequent ones come first
ROUTERS = (
    webhooks.router,
    health.router,
    evaluations.router,
    trainings.router,
    events.router,
    live.router,
    policies.router,
    studies.router,
    checkpoints.router,
    episodes.router,
    environments.router,
    images.router,
    files.router,
    runs.router,
    compare.router,
    keys.router,
    usage.router,
)
