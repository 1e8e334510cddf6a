"""Python packages of environments that the operator has configured, imported in each process that makes environments.

``RLP_TRAINING__ENVIRONMENT_MODULES`` lists the packages. An environment's id never causes any other import. Importing
this module is cheap: Gymnasium is imported at its first use.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import threading
import warnings
from collections.abc import Sequence

from rlplatform.errors import UnknownName

log = logging.getLogger(__name__)

SETTING = "RLP_TRAINING__ENVIRONMENT_MODULES"
HOW_TO_ADD = (
    f"To add a package's environments, install the package on every node and name its module in {SETTING} "
    "(comma-separated)"
)
_GROUP = "gymnasium.envs"

_lock = threading.RLock()
_configured: tuple[str, ...] = ()
_failures: dict[str, str] = {}
_imported: set[str] = set()


def configure(modules: Sequence[str]) -> None:
    """Set the modules of this process. They are imported when environments are first asked for."""
    global _configured
    with _lock:
        _configured = tuple(modules)


def configured() -> tuple[str, ...]:
    """Return the configured modules, including those that cannot be imported."""
    return _configured


def import_all() -> None:
    """Import the configured modules that are not imported yet. A module that fails is logged once and skipped."""
    with _lock:
        for module in _configured:
            if module not in _imported:
                _imported.add(module)
                _import(module)


def failures() -> dict[str, str]:
    """Return the reason for each configured module that could not be imported."""
    import_all()
    return {module: _failures[module] for module in _configured if module in _failures}


def split(env: str) -> tuple[str | None, str]:
    """Split ``module:Env-v0`` into the module and the id; the module is None for a plain id.

    Raises:
        UnknownName: the module is not configured. It is not imported.
    """
    module, colon, name = env.partition(":")
    if not colon:
        return None, env
    if module not in _configured:
        allowed = f"modules that may be named: {', '.join(_configured)}" if _configured else "no module is configured"
        raise UnknownName("environment module", module, _configured, field="env", hint=f"{allowed}. {HOW_TO_ADD}")
    import_all()
    return module, name


def module_of(env: str) -> str | None:
    """Return the configured module whose package makes the Gymnasium environment ``env``; None if none does."""
    import gymnasium as gym

    spec = gym.registry.get(env)
    entry = spec and (spec.entry_point or spec.vector_entry_point)
    if not entry:
        return None
    package = _package(entry if isinstance(entry, str) else entry.__module__)
    return next((module for module in _configured if _package(module) == package), None)


def version_of(module: str) -> str | None:
    """Return ``name version`` of the distribution that contains ``module``; None if no distribution does."""
    for name in importlib.metadata.packages_distributions().get(_package(module), ()):
        return f"{name} {importlib.metadata.version(name)}"
    return None


def _import(module: str) -> None:
    import gymnasium as gym

    before = set(gym.registry)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(module)
            if set(gym.registry) == before and not any(module_of(env) == module for env in before):
                _call_entry_points(module)
    except (Exception, SystemExit) as error:
        _failures[module] = f"{type(error).__name__}: {error}"
        log.warning("environment module %s cannot be imported: %s", module, _failures[module])


def _call_entry_points(module: str) -> None:
    """Call the package's ``gymnasium.envs`` entry points, which Gymnasium itself no longer does since 1.0."""
    from gymnasium.envs.registration import namespace

    for entry in (entry for group in _groups() for entry in importlib.metadata.entry_points(group=group)):
        if _package(entry.module) != _package(module):
            continue
        # Two spellings: the namespace is the entry's name, or the last part of the group's.
        space = entry.name if entry.group == _GROUP else entry.group.removeprefix(f"{_GROUP}.")
        register = entry.load()
        if not callable(register):
            continue
        if space == "__root__":
            register()
        else:
            with namespace(space):
                register()


def _groups() -> list[str]:
    groups = importlib.metadata.entry_points().groups
    return sorted(group for group in groups if group == _GROUP or group.startswith(f"{_GROUP}."))


def _package(name: str) -> str:
    return name.partition(".")[0].partition(":")[0]
