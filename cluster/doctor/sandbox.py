"""The sandbox of this node: engine, control groups, image, and what hostile programs can do in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from cluster.doctor.report import Check, fail, ok, warn
from rlplatform.errors import PlatformError, SandboxUnavailable
from rlplatform.settings import Settings

if TYPE_CHECKING:
    from rlplatform.sandbox.self_check import CheckResult

_NO_ENGINE = "not looked at: no Docker engine answers"


def engine(settings: Settings) -> Check:
    """Check that a Docker engine answers, and has the runtime that the settings name."""
    name = "docker_engine"
    try:
        with closing(_engine(settings)) as docker:
            docker.require_runtime(settings.sandbox.runtime)
            facts = docker.api.info()
    except SandboxUnavailable as error:
        return fail(
            name,
            f"{error}: evaluations answer 503, trainings go on",
            "start Docker, join the group 'docker', or set RLP_SANDBOX__DOCKER_HOST / RLP_SANDBOX__RUNTIME",
        )
    version = facts["ServerVersion"]
    found = f"Docker {version}, runtime {settings.sandbox.runtime}, storage {facts['Driver']}, {facts['KernelVersion']}"
    if not any("seccomp" in option for option in facts.get("SecurityOptions") or []):
        return fail(name, f"{found}, without seccomp: sandboxes are refused", "use a kernel and engine with seccomp")
    if int(version.partition(".")[0]) < 20:
        return fail(name, f"{found}: too old", "Docker 20.10 or later is needed")
    return ok(name, found)


def gvisor(settings: Settings) -> Check:
    """Check the runtime of tier *gvisor*, if one is named."""
    from rlplatform.sandbox.pool.gvisor_runtime import require_gvisor

    name, runtime = "gvisor", settings.sandbox.gvisor_runtime
    if runtime is None:
        return ok(name, "not configured: tier gvisor is refused")
    if not _answers(settings):
        return warn(name, _NO_ENGINE, "see docker_engine")
    try:
        with closing(_engine(settings)) as docker:
            require_gvisor(docker, runtime)
    except SandboxUnavailable as error:
        return fail(name, f"{error}: tier gvisor is refused, the others work", "make gvisor, or unset the setting")
    return ok(name, f"runtime {runtime}; `rlp sandbox check --tier gvisor` tries it")


def control_groups(_: Settings) -> Check:
    """Check how control groups are mounted, as the sandbox sees it."""
    from rlplatform.sandbox.execution.cgroups import Hierarchy

    try:
        layout = Hierarchy().layout
    except SandboxUnavailable as error:
        return fail("control_groups", f"{error}: evaluations answer 503", "mount the missing controllers")
    if layout != "v2":
        return ok("control_groups", f"{layout}; memory peaks can be reset and are exact")
    return ok("control_groups", "v2")


def image(settings: Settings) -> Check:
    """Check that the sandbox image was made from this very guest."""
    from rlplatform.sandbox.images.builder import require_image

    try:
        with closing(_engine(settings)) as docker:
            found = require_image(docker, settings.sandbox.image)
    except SandboxUnavailable as error:
        if _answers(settings):
            return fail("sandbox_image", f"{error}: evaluations answer 503", "rlp sandbox build")
        return warn("sandbox_image", _NO_ENGINE, "see docker_engine")
    return ok("sandbox_image", f"{found.name} is {found.digest[:19]}, made from this guest")


def self_check(settings: Settings) -> Check:
    """Run hostile programs and one good one in a real container."""
    name = "sandbox_self_check"
    if not _answers(settings):
        return warn(name, _NO_ENGINE, "see docker_engine")
    from rlplatform.sandbox.pool.docker_pool import DockerPool
    from rlplatform.sandbox.self_check import run_selfcheck

    alone = settings.sandbox.model_copy(update={"warm": 1, "slots": 1})
    try:
        with closing(DockerPool(alone, f"doctor-{os.getpid()}")) as pool:
            findings = run_selfcheck(pool)
    except PlatformError as error:
        return fail(name, f"it could not be made: {error}", "see docker_engine, control_groups and sandbox_image")
    return judge(name, findings)


def judge(name: str, findings: Sequence[CheckResult]) -> Check:
    """Return one check from the self-check's results."""
    broken = [f"{finding.name}: {finding.detail}" for finding in findings if not finding.ok]
    if broken:
        return fail(
            name,
            f"{len(broken)} of {len(findings)} programs did not end as they must: {'; '.join(broken)}",
            "run it again on an idle machine; if it stays: do not evaluate here, check kernel, Docker and runtime",
        )
    return ok(name, f"all {len(findings)} programs, hostile and good, ended as they must")


def _engine(settings: Settings) -> Any:
    from rlplatform.sandbox.docker_engine import Engine

    return Engine(settings.sandbox.docker_host, timeout_s=10)


def _answers(settings: Settings) -> bool:
    try:
        _engine(settings).close()
    except SandboxUnavailable:
        return False
    return True
