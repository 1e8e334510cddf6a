"""Table of packages of environments: what can be trained of each, and the reason for what cannot.

``python -m rlplatform.training.package_table highway_env minigrid gymnasium.envs.mujoco > docs/environments.md`` makes
every environment of these packages once. Of Gymnasium's MuJoCo environments the newest versions count, v5.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import gymnasium as gym

from rlplatform.environments import environment_modules
from rlplatform.environments.models import EnvironmentInfo
from rlplatform.training.environment_catalog import describe_or_reason

MUJOCO = "gymnasium.envs.mujoco"
_VERSION = "-v5"
_SHOWN = 12
"""Ids in one row at most; of more, the first ones and the number."""

HEAD = """# Environments of packages

The environments of these packages, as found by making each of them once. To add a package's environments, install it on
every node and name its module in `RLP_TRAINING__ENVIRONMENT_MODULES` (comma-separated). `rlp env ls` lists what a
platform has.

This page is made by `{command}`.
"""


def describe_package(module: str) -> dict[str, EnvironmentInfo | str]:
    """Return each environment of a package that is configured, or the reason why it cannot be trained on."""
    environment_modules.import_all()
    if module == MUJOCO:
        own = [env for env, spec in gym.registry.items() if _entry(spec).startswith(MUJOCO) and env.endswith(_VERSION)]
    else:
        own = [env for env in gym.registry if environment_modules.module_of(env) == module]
    return {env: describe_or_reason(env if module == MUJOCO else f"{module}:{env}") for env in sorted(own)}


def section(module: str, version: str | None, found: Mapping[str, EnvironmentInfo | str], broken: str | None) -> str:
    """Return the part of the page about one package."""
    able = {env: info for env, info in found.items() if isinstance(info, EnvironmentInfo)}
    title = f"## `{module}` ({version})" if version else f"## `{module}`"
    lines = [title, "", broken or f"{len(able)} of {len(found)} environments can be trained on."]
    kinds: dict[tuple[str, str], list[str]] = {}
    for env, info in able.items():
        kinds.setdefault((info.observation_space, info.action_space), []).append(env)
    if kinds:
        lines += ["", "| environments | observations | actions |", "| --- | --- | --- |"]
        lines += [f"| {_ids(ids)} | {_cell(seen)} | {_cell(actions)} |" for (seen, actions), ids in kinds.items()]
    reasons: dict[str, list[str]] = {}
    for env, why in found.items():
        if isinstance(why, str):
            reasons.setdefault(_general(why, module, env), []).append(env)
    if reasons:
        lines += ["", "| cannot be trained on | reason |", "| --- | --- |"]
        lines += [f"| {_ids(ids)} | {_cell(why)} |" for why, ids in reasons.items()]
    return "\n".join(lines)


def page(modules: Sequence[str], command: str) -> str:
    """Return the page about ``modules``, which it imports and whose environments it makes."""
    environment_modules.configure([module for module in modules if module != MUJOCO])
    failures = environment_modules.failures()
    parts = [HEAD.format(command=command)]
    for module in modules:
        broken = f"It cannot be imported: {failures[module]}" if module in failures else None
        found = {} if broken else describe_package(module)
        parts.append(section(module, environment_modules.version_of(module), found, broken) + "\n")
    return "\n".join(parts)


def _entry(spec: gym.envs.registration.EnvSpec) -> str:
    return str(spec.entry_point)


def _ids(ids: Sequence[str]) -> str:
    shown = ", ".join(f"`{env}`" for env in ids[:_SHOWN])
    return shown if len(ids) <= _SHOWN else f"{shown} and {len(ids) - _SHOWN} more"


def _general(why: str, module: str, env: str) -> str:
    """Return a reason without the environment's own name, so that equal reasons are equal."""
    return why.removeprefix("env: ").replace(f"{module}:{env}", "the environment").replace(env, "the environment")


def _cell(text: str) -> str:
    short = " ".join(text.split())
    short = short if len(short) <= 240 else f"{short[:240]}…"
    return short.replace("|", "\\|")


def main() -> None:
    """Print the page about the modules that are given."""
    modules = sys.argv[1:]
    sys.stdout.write(page(modules, f"python -m rlplatform.training.package_table {' '.join(modules)}"))


if __name__ == "__main__":
    main()
