"""The production composition root: a Ray cluster, started or joined, with the actors and the gateway on it.

In the single-user local mode the address and an API key are kept in ``<state_dir>/local.json`` (mode 0600).
"""

from __future__ import annotations

import asyncio
import fcntl
import importlib
import json
import logging
import os
import secrets
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout, suppress
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import ray
from pydantic import SecretStr
from ray.exceptions import RayError
from ray.util import list_named_actors

from actors import options
from actors.actor_classes import start
from actors.evaluation.evaluator import PREPARING
from actors.handles import SupervisorHandle
from actors.store.connection import close_store, connect_store
from cluster import ingress, privacy
from cluster.local_key import KeyKeeper, LocalKey, write_private
from rlplatform.clock import SystemClock
from rlplatform.errors import PlatformError, Unavailable
from rlplatform.settings import Settings
from rlplatform.store import Store
from rlplatform.telemetry import logs
from rlplatform.training.models import TrainingState
from rlplatform.training.record import TrainingSummary

Report = Callable[[str], None]

START_TIMEOUT_S = 60.0
DRAIN_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 10.0
TOLD_TRAININGS = 10
_RAY = {"RAY_worker_niceness": "0"}  # by default, workers give way to all else, the API to the programs in sandboxes


class Address(NamedTuple):
    """URL of the platform, and its API key."""

    url: str
    api_key: str


class Platform:
    """The whole platform on this machine, from :meth:`start` to :meth:`stop`."""

    def __init__(self, settings: Settings, report: Report) -> None:
        self.settings = localized(settings)
        self._report = report
        self._file = self.settings.state_dir / "local.json"
        self._started = False
        self._ingress = ingress.Folder(self.settings.state_dir)
        self._lock = -1
        self._key = LocalKey(self.settings.state_dir / "key", self.settings.access.pepper, SystemClock())
        self._keeper: KeyKeeper | None = None

    def start(self) -> Address:
        """Start what does not run yet; returns when the API is ready.

        :raises Unavailable: it does not get ready, the port is taken, or a platform of this directory runs already.
        """
        api = self.settings.api
        privacy.set_umask()
        logs.configure(self.settings, "serve")
        self._refuse_a_second()
        self._started = True
        self._report("starting Ray")
        folder = self._ingress.make()
        try:
            proxies = ingress.choose(self.settings.cluster)
            usual = self._ingress.claim_usual_ports()
            _start_ray(self.settings, _RAY | ingress.environment(proxies, folder, usual_ports=usual))
        except Exception as error:  # Ray has no class of its own for this
            raise Unavailable(f"Ray does not start: {error}") from error
        self._report(f"starting the supervisor and the gateway on {api.host}:{api.port}")
        start(self.settings)
        with ThreadPoolExecutor(1) as beside:
            opening = beside.submit(asyncio.run, self._open_store())
            try:
                _start_gateway(self.settings)
            except (RayError, RuntimeError) as error:
                raise Unavailable(f"the gateway does not start: {error}") from error
            address = Address(f"http://{api.host}:{api.port}", opening.result())
        self._wait_until_ready(address.url)
        self._publish(address)
        reach = partial(connect_store, self.settings)
        self._keeper = KeyKeeper(
            self._key, reach, address.api_key, lambda key: self._publish(Address(address.url, key))
        )
        return address

    def _publish(self, address: Address) -> None:
        write_private(self._file, json.dumps({"url": address.url, "api_key": address.api_key}))

    def stop(self) -> None:
        """Save checkpoints, remove containers, end every actor and process that :meth:`start` started. Idempotent."""
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None
        if self._started:
            self._started = False
            self._end()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _end(self) -> None:
        if ray.is_initialized():
            from ray import serve

            self._report("draining: checkpoints are saved, containers removed")
            with suppress(PlatformError, TimeoutError):
                asyncio.run(asyncio.wait_for(SupervisorHandle().drain(), DRAIN_TIMEOUT_S))
            self._report("stopping")
            with redirect_stdout(StringIO()):  # Ray reports every actor that it ends
                with suppress(Exception):
                    serve.shutdown()
                _kill_actors(but=str(options.STORE_SERVER["name"]))
                if self.settings.store.embedded:
                    with suppress(PlatformError, TimeoutError):
                        asyncio.run(asyncio.wait_for(close_store(), CLOSE_TIMEOUT_S))
                _kill_actors()
                ray.shutdown()
        self._ingress.remove()
        self._file.unlink(missing_ok=True)

    async def _open_store(self) -> str:
        """Tell which trainings go on; the local key."""
        store = connect_store(self.settings)
        try:
            await self._tell_unfinished(store)
            return await self._key.get(store)
        finally:
            await store.close()

    async def _tell_unfinished(self, store: Store) -> None:
        found = await store.summaries("training", states=TrainingState.unfinished(), limit=1000)
        runs = [run for run in reversed(found) if isinstance(run, TrainingSummary)]
        if runs:
            self._report(f"going on with {len(runs)} training{'s' if len(runs) > 1 else ''}:")
        for run in runs[:TOLD_TRAININGS]:
            training = run.document
            where = f"at {training.progress.env_steps:,} steps" if training.started_at else "not begun"
            self._report(f"  {run.id}  {training.request.env}  {training.state}, {where}; rlp runs watch {run.id}")

    def _wait_until_ready(self, url: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        missing: dict[str, str] = {"api": "no answer"}
        while time.monotonic() < deadline:
            missing = _missing(url)
            if not missing:
                return
            if set(missing) == {"sandbox"} and PREPARING not in missing["sandbox"]:
                break
            time.sleep(0.1)
        if set(missing) != {"sandbox"}:
            told = ", ".join(f"{name}: {detail}" for name, detail in missing.items())
            raise Unavailable(f"the platform is not ready within {START_TIMEOUT_S:g} s: {told}")
        self._report(f"no sandbox: evaluation answers 503 ({missing['sandbox']})")

    def _refuse_a_second(self) -> None:
        """Lock the state directory, for as long as this process lives, and look whether the port is free."""
        self._lock = os.open(self.settings.state_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            where = "or is being started"
            with suppress(OSError, ValueError, KeyError):
                where = f"at {json.loads(self._file.read_text())['url']}"
            raise Unavailable(f"a platform of {self.settings.state_dir} runs already, {where}") from None
        self._file.unlink(missing_ok=True)  # of one that was killed
        self._ingress.remove()  # likewise; its HAProxy would hold the port
        api = self.settings.api
        if (why := ingress.why_taken(api.host, api.port)) is not None:
            raise Unavailable(f"port {api.port} on {api.host} is taken ({why}); choose another with RLP_API__PORT")


def serve(settings: Settings, report: Report | None = None) -> int:
    """Run the platform until Ctrl-C or SIGTERM; the exit status."""
    platform = Platform(settings, report or _print)
    with interruptible():
        try:
            address = platform.start()
            platform._report(f"ready at {address.url}; API key in {platform._file}")
            threading.Event().wait()
        except KeyboardInterrupt:
            pass
        except PlatformError as error:
            platform._report(f"error: {error}")
            return 5
        finally:
            with ignoring_interrupts():
                platform.stop()
    return 0


def localized(settings: Settings) -> Settings:
    """``settings`` with absolute paths, for actors whose working directory is another, and with a pepper."""
    state = settings.state_dir.resolve()
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    privacy.close(state)
    changes: dict[str, object] = {"state_dir": state}
    scheme, _, path = settings.store.url.partition(":///")
    if scheme == "sqlite":
        changes["store"] = settings.store.model_copy(update={"url": f"sqlite:///{Path(path).resolve()}"})
    training = settings.training
    urls = {"checkpoint_url": training.checkpoint_url, "policy_url": training.policy_url, "run_dir": training.run_dir}
    local: dict[str, object] = {n: str(Path(url).resolve()) for n, url in urls.items() if url and "://" not in url}
    changes["training"] = training.model_copy(update=local)
    if settings.files.url and "://" not in settings.files.url:
        changes["files"] = settings.files.model_copy(update={"url": str(Path(settings.files.url).resolve())})
    if not settings.access.pepper.get_secret_value():
        pepper = state / "pepper"
        if not pepper.exists():
            write_private(pepper, secrets.token_hex(32))
        changes["access"] = settings.access.model_copy(update={"pepper": SecretStr(pepper.read_text())})
    return settings.model_copy(update=changes)


class interruptible:  # noqa: N801
    """SIGTERM is Ctrl-C, for as long as this lasts."""

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGTERM, signal.default_int_handler)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before)


class ignoring_interrupts:  # noqa: N801
    """Ctrl-C and SIGTERM do nothing, for as long as this lasts: what is being ended ends."""

    def __enter__(self) -> None:
        self._before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _start_ray(settings: Settings, environment: dict[str, str]) -> None:
    os.environ.update(environment)  # Ray's processes inherit it; Serve reads it where it is imported, hence not above
    importing = threading.Thread(target=importlib.import_module, args=("serve_apps.gateway",))  # seconds, as is Ray
    importing.start()
    cluster = settings.cluster
    common: dict[str, Any] = {"namespace": options.NAMESPACE, "log_to_driver": False, "logging_level": logging.ERROR}
    if cluster.address:
        ray.init(address=cluster.address, **common)
    else:
        os.environ.update(privacy.stay_on_loopback())
        ray.init(
            address="local",
            num_cpus=cluster.num_cpus or max(4, os.cpu_count() or 1),
            resources={options.SANDBOX_RESOURCE: 1},
            include_dashboard=True,
            dashboard_host="127.0.0.1",
            _temp_dir=str(privacy.ray_folder()),
            dashboard_port=cluster.dashboard_port,  # None: 8265, or the next that is free
            **common,
        )
        privacy.close_token()
    importing.join()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # in place of Ray's, which aborts


def _start_gateway(settings: Settings) -> None:
    from ray import serve

    from serve_apps.gateway import GatewayArgs, app
    from serve_apps.stream_paths import STREAMS

    logging.getLogger("ray.serve").setLevel(logging.WARNING)

    quiet = {"log_level": "WARNING", "enable_access_log": False}
    serve.start(
        proxy_location="HeadOnly",
        http_options={"host": settings.api.host, "port": settings.api.port},
        logging_config=quiet,
    )
    api, streams = GatewayArgs(settings=settings), GatewayArgs(application="streams", settings=settings)
    serve.run_many(
        [
            serve.RunTarget(app(api), "api", "/", quiet),
            serve.RunTarget(app(streams), "streams", STREAMS, quiet),
        ]
    )


def _missing(url: str) -> dict[str, str]:
    """Return the parts that the platform still lacks, by name, with the reason."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            body = error.read()
    except OSError as error:
        return {"api": str(error)}
    try:
        entries = json.loads(body)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return {"api": "no sensible answer"}
    return {entry["name"]: entry["detail"] or "not ready" for entry in entries if not entry["ok"]}


def _kill_actors(but: str | None = None) -> None:
    """End all of the platform's actors, except the one named ``but``."""
    for entry in list_named_actors(all_namespaces=True):
        if entry["namespace"] == options.NAMESPACE and entry["name"] != but:
            with suppress(ValueError):
                ray.kill(ray.get_actor(entry["name"], namespace=options.NAMESPACE))


def _print(text: str) -> None:
    sys.stdout.write(f"[rlp] {text}\n")
    sys.stdout.flush()
