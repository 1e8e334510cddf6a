"""Connection to the Docker engine with the calls that sandboxes need.

Engine errors become platform errors with the reason.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

import docker
import docker.errors
import requests.exceptions
from docker.types import LogConfig, Ulimit

from rlplatform.errors import SandboxFault, SandboxUnavailable

APP_LABEL = "rlp.sandbox"
OWNER_LABEL = "rlp.owner"
STATE_LABEL = "rlp.state-dir"
BOOT_LABEL = "rlp.boot"
GUEST_LABEL = "rlp.guest"
PACKAGES_LABEL = "rlp.packages"
BASE_LABEL = "rlp.base"

_DEFAULT_HOST = "unix:///var/run/docker.sock"
_CONFLICT = 409
_TROUBLE = (docker.errors.DockerException, requests.exceptions.RequestException)


class Image(NamedTuple):
    """An image, identified by its content: containers are created from ``digest``, its id.

    ``built_at`` is in RFC 3339.
    """

    name: str
    digest: str
    labels: Mapping[str, str]
    size_bytes: int
    built_at: str

    @property
    def packages(self) -> dict[str, str]:
        """Packages beyond the standard library: version by name."""
        packages: dict[str, str] = json.loads(self.labels.get(PACKAGES_LABEL, "{}"))
        return packages


class NameTaken(SandboxFault):
    """Another container already has the name."""


class ContainerEntry(NamedTuple):
    """A container in the engine's list."""

    id: str
    labels: Mapping[str, str]


class Engine:
    """Connection to one Docker engine.

    Raises:
        SandboxUnavailable: the engine does not answer.
    """

    def __init__(self, host: str | None = None, timeout_s: int = 30) -> None:
        self._api: Any = None
        host = host or _DEFAULT_HOST
        _probe(host)
        try:
            self._api = docker.APIClient(base_url=host, version="auto", timeout=timeout_s)
            self._api.trust_env = False  # the engine is on this machine: no proxy
            info = self._api.info()
            self._runtimes: dict[str, dict[str, Any]] = info.get("Runtimes") or {}
            security = " ".join(info.get("SecurityOptions") or ())
            self.maps_users = "name=userns" in security or "name=rootless" in security
        except _TROUBLE as error:
            self.close()
            raise SandboxUnavailable(f"no Docker engine answers at {host}: {error}") from error

    @property
    def api(self) -> Any:
        """The low-level client of the Docker SDK."""
        return self._api

    def image(self, name: str) -> Image | None:
        """Return the image ``name``; None if the engine does not have it."""
        with self._trouble(f"the image {name} cannot be looked up"):
            try:
                found = self._api.inspect_image(name)
            except docker.errors.ImageNotFound:
                return None
            labels = found["Config"].get("Labels") or {}
            return Image(name, found["Id"], labels, found["Size"], found["Created"])

    def images(self, label: str) -> list[Image]:
        """Return the images that have ``label``: one entry for each of their names."""
        with self._trouble("images cannot be listed"):
            found = self._api.images(filters={"label": label})
        return [
            Image(name, entry["Id"], entry["Labels"] or {}, entry["Size"], _rfc3339(entry["Created"]))
            for entry in found
            for name in entry["RepoTags"] or ()
        ]

    def tag(self, image: str, name: str) -> None:
        """Give ``image`` another name. If another image has it, that image loses it."""
        repository, _, tag = name.rpartition(":")
        with self._trouble(f"the image {name} cannot be named"):
            self._api.tag(image, repository, tag, force=True)

    def remove_image(self, name: str) -> None:
        """Remove the name ``name`` from its image.

        The image goes with its last name; running containers stay. Idempotent.
        """
        with self._trouble(f"the image {name} cannot be removed"), suppress(docker.errors.ImageNotFound):
            self._api.remove_image(name, force=True)

    def prune_images(self, label: str) -> None:
        """Remove the images with ``label`` that have no name any more and that no container uses."""
        with self._trouble("images without a name cannot be removed"):
            self._api.prune_images(filters={"label": [label], "dangling": True})

    def require_runtime(self, runtime: str) -> None:
        """Check that the engine has a runtime.

        Raises:
            SandboxUnavailable: the engine does not know this runtime.
        """
        if runtime not in self._runtimes:
            raise SandboxUnavailable(
                f"the Docker engine has no runtime {runtime!r}; it has {', '.join(sorted(self._runtimes))}"
            )

    def runtime_arguments(self, runtime: str) -> list[str]:
        """Return the flags that the engine passes to ``runtime``.

        Raises:
            SandboxUnavailable: the engine does not know this runtime.
        """
        self.require_runtime(runtime)
        return list(self._runtimes[runtime].get("runtimeArgs") or ())

    def is_running(self, container: str) -> bool:
        """True if the container runs. False also if it does not exist or its state cannot be determined."""
        try:
            return bool(self._api.inspect_container(container)["State"]["Running"])
        except _TROUBLE:
            return False

    def create(self, name: str, image: str, command: list[str], **options: Any) -> str:
        """Create a container, and return its id. If that fails, no container with this name and these labels is left.

        Raises:
            NameTaken: another container already has the name.
        """
        host_config = self._api.create_host_config(**options.pop("host_config")) | options.pop("raw_host_config")
        try:
            created = self._api.create_container(image, command, name=name, host_config=host_config, **options)
        except _TROUBLE as error:
            if isinstance(error, docker.errors.APIError) and error.status_code == _CONFLICT:
                raise NameTaken(f"the container name {name} is taken") from error
            self._remove_named(name, options["labels"])
            raise SandboxFault(f"a container cannot be created: {error}") from error
        return str(created["Id"])

    def _remove_named(self, name: str, labels: Mapping[str, str]) -> None:
        """Remove the container of a create call that was not answered, unless the name belongs to a container with
        other labels."""
        wanted = {"name": f"^/{name}$", "label": [f"{key}={value}" for key, value in labels.items()]}
        with suppress(*_TROUBLE):
            for entry in self._api.containers(all=True, filters=wanted):
                self.remove(entry["Id"])

    def start(self, container: str) -> None:
        with self._trouble("a container cannot be started"):
            self._api.start(container)

    def remove(self, container: str) -> None:
        """Kill and remove a container. Idempotent. Errors are left to the reaper, which tries again."""
        with suppress(*_TROUBLE):
            self._api.remove_container(container, v=True, force=True)

    def list(self, **labels: str) -> list[ContainerEntry]:
        """Return the platform's containers with these labels, running or not."""
        wanted = [f"{APP_LABEL}=1", *(f"{name}={value}" for name, value in labels.items())]
        with self._trouble("containers cannot be listed"):
            found = self._api.containers(all=True, filters={"label": wanted})
        return [ContainerEntry(entry["Id"], entry["Labels"]) for entry in found]

    def close(self) -> None:
        if self._api is not None:
            self._api.close()

    @contextmanager
    def _trouble(self, what: str) -> Iterator[None]:
        try:
            yield
        except _TROUBLE as error:
            raise SandboxFault(f"{what}: {error}") from error


def _rfc3339(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat().replace("+00:00", "Z")


def _probe(host: str) -> None:
    """Connect once before the SDK does: the SDK leaks its socket if nothing listens."""
    if not host.startswith("unix://"):
        raise SandboxUnavailable(
            f"the Docker engine must be on this machine: RLP_SANDBOX__DOCKER_HOST is unix://PATH, not {host!r}"
        )
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(host.removeprefix("unix://"))
        except OSError as error:
            raise SandboxUnavailable(f"no Docker engine answers at {host}: {error.strerror}") from error


def ulimits(**values: int | tuple[int, int]) -> list[Ulimit]:
    """Return resource limits. A single number is both the soft and the hard limit; -1 is unlimited."""
    pairs = {name: value if isinstance(value, tuple) else (value, value) for name, value in values.items()}
    return [Ulimit(name=name, soft=soft, hard=hard) for name, (soft, hard) in pairs.items()]


def no_log() -> LogConfig:
    """Return a configuration that keeps no output: a log file could fill the host's disk."""
    return LogConfig(type="none")
