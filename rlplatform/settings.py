"""Settings of the platform, from ``RLP_`` variables, nested with ``__`` (``RLP_SANDBOX__WARM=4``).

This is the only module that reads ``os.environ``. Settings are frozen, and handed to other code explicitly, actors too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from rlplatform import patterns
from rlplatform.errors import InvalidRequest, UnknownName
from rlplatform.validation_errors import describe_error

THROUGH_ACTOR = "actor://"
"""Store URL of processes that know no address of the store, and reach it through an actor of the cluster."""
SECRETS_FOLDER = Path("/run/secrets")
"""Folder of secret files, where Compose and the cluster launcher mount them; ``RLP_SECRETS_DIR`` names another."""
_SECRET_FILES = {"store_url": ("store", "url"), "pepper": ("access", "pepper")}


class Quotas(BaseModel):
    """Limits of one tenant; null: none. A day is a UTC day. `sandbox_cpu_s_per_day` and `checkpoint_bytes` are checked
    when something new is requested: runs that were accepted may exceed them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrent_evaluations: int | None = Field(default=None, ge=0)
    """Evaluations that wait or run at one time."""
    concurrent_trainings: int | None = Field(default=None, ge=0)
    """Trainings that wait or run at one time."""
    concurrent_studies: int | None = Field(default=None, ge=0)
    """Studies that have not ended."""
    sandbox_cpu_s_per_day: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """CPU time of tests a day, in seconds."""
    env_steps_per_day: int | None = Field(default=None, ge=0)
    """Environment steps of trainings a day. A training that exceeds it is stopped, with a checkpoint."""
    checkpoint_bytes: int | None = Field(default=None, ge=0)
    """Size of all stored checkpoints, in bytes."""
    events_per_day: int | None = Field(default=None, ge=0)
    """Events of all runs a day. A training that exceeds it is stopped, with a checkpoint."""
    stored_bytes: int | None = Field(default=None, ge=0)
    """Size of the requests and events of all runs that are kept, in bytes; checkpoints count apart. A training that
    exceeds it is stopped, with a checkpoint."""
    file_bytes: int | None = Field(default=None, ge=0)
    """Size of all uploaded files, in bytes."""
    policies: int | None = Field(default=None, ge=0)
    """Published policies."""
    weight: int = Field(default=1, ge=1, le=100)
    """Share of the tenant in each round of the queues."""

    def with_overrides(self, overrides: Quotas) -> Quotas:
        """Return these quotas, with those given in ``overrides`` in place of them."""
        return self.model_copy(update=overrides.model_dump(exclude_unset=True))


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ApiSettings(_Section):
    """The HTTP gateway. Rates are of one principal: all requests, and what is created; counted by each replica, or by
    all together in a ``redis://`` store. ``max_connections`` are a principal's streams and sockets on one replica,
    ``max_unauthenticated`` the sockets there that have not said yet who they are."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    max_body_bytes: int = Field(default=8 * 2**20, ge=1024)
    body_timeout_s: float = Field(default=30.0, gt=0)
    max_wait_s: float = Field(default=60.0, gt=0, le=60)
    stream_heartbeat_s: float = Field(default=15.0, gt=0)
    stream_max_life_s: float = Field(default=900.0, gt=0)
    stream_buffer_bytes: int = Field(default=1 << 20, ge=4096)
    max_connections: int = Field(default=2000, ge=1)
    max_unauthenticated: int = Field(default=500, ge=1)
    rate_limit: str = "120000/minute"
    creation_limit: str = "60000/minute"
    rate_limit_store: str = "memory://"


class StoreSettings(_Section):
    """Storage of runs and events."""

    url: str = Field(default="sqlite:///.rlp/platform.db", pattern=patterns.STORE_URL)

    @property
    def embedded(self) -> bool:
        """True if one process owns the store, and all others reach it through that process."""
        return not self.url.startswith("redis")


class SandboxSettings(_Section):
    """The container pool of a node that has the resource ``sandbox``.

    ``image``: the one of requests that name none. ``max_images``: how many images, that one included, have containers
    ready at one time; the one that was not used for longest gives way."""

    image: str = "python-rl"
    max_images: int = Field(default=4, ge=1, le=64)
    docker_host: str | None = None
    runtime: str = "runc"
    gvisor_runtime: str | None = None
    warm: int = Field(default=2, ge=0, le=64)
    slots: int = Field(default=2, ge=1, le=256)
    cores: str | None = None
    uids: str | None = None
    lease_s: float = Field(default=60.0, gt=0)
    jail_max_submissions: int = Field(default=200, ge=1)
    jail_max_age_s: float = Field(default=600.0, gt=0)
    state_dir: Path = Path("/run/rlp-sandbox")


class EvaluationSettings(_Section):
    """Queueing and retrying of evaluations. One that would wait for longer than ``max_wait_s`` is refused.
    ``max_cpu_time_s`` and so on: largest ``limits`` that a request may ask for, of a test, a checker or a suite;
    ``max_total_wall_time_s``: of all tests together; ``max_kept_mib``: size of all files that one evaluation keeps."""

    max_queued: int = Field(default=1000, ge=1)
    max_wait_s: float = Field(default=900.0, gt=0)
    max_attempts: int = Field(default=3, ge=1, le=10)
    max_cpu_time_s: float = Field(default=60.0, gt=0, le=7200)
    max_wall_time_s: float = Field(default=120.0, gt=0, le=7200)
    max_memory_mib: int = Field(default=2048, ge=16, le=65_536)
    max_output_kib: int = Field(default=65_536, ge=1, le=65_536)
    max_processes: int = Field(default=128, ge=1, le=1024)
    max_total_wall_time_s: float = Field(default=3600.0, gt=0, le=86_400)
    max_kept_mib: int = Field(default=64, ge=0, le=4096)


def _by_commas(value: Any) -> Any:
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


EnvironmentModule = Annotated[str, Field(pattern=patterns.PYTHON_MODULE)]


class TrainingSettings(_Section):
    """Training sessions. A trainer that lives but appends no event for ``stall_timeout_s``, or for 20 of its iterations
    where that is longer, is ended and recovered; None: never. One that begins has a minute at least.

    ``max_running``: trainings that have a trainer at one time; None: as many as the cluster has CPUs for, or can have
    with an autoscaler. ``policy_url`` None: a folder ``policies`` beside the checkpoints. ``run_dir``: where each
    session's trainer writes a folder with ``progress.csv``, TensorBoard files and so on; None: ``runs`` in the state
    directory; "": nowhere.
    ``probe_…``: what making an environment once may take, in a process of its own, before a training is queued.
    ``environment_modules``: packages of environments to import on every node, as ``highway_env,ale_py``.
    """

    environment_modules: Annotated[tuple[EnvironmentModule, ...], BeforeValidator(_by_commas), NoDecode] = ()

    allow_simulated: bool = True
    checkpoint_url: str = ".rlp/checkpoints"
    policy_url: str | None = None
    run_dir: str | None = None
    max_queued: int = Field(default=1000, ge=1)
    max_running: int | None = Field(default=None, ge=1)
    max_restarts: int = Field(default=5, ge=0)
    stall_timeout_s: float | None = Field(default=600.0, gt=0)
    placement_timeout_s: float = Field(default=60.0, gt=0)
    warm_trainers: int = Field(default=1, ge=0, le=16)
    probe_cpu_s: int = Field(default=10, ge=1, le=600)
    probe_wall_s: float = Field(default=30.0, gt=0, le=600)
    probe_memory_mib: int = Field(default=1024, ge=64)

    @property
    def probe_limits(self) -> dict[str, Any]:
        """The limits of making an environment once, to see what it is like."""
        return {
            "cpu_s": self.probe_cpu_s,
            "wall_s": self.probe_wall_s,
            "memory_mib": self.probe_memory_mib,
            "modules": self.environment_modules,
        }


class FileSettings(_Section):
    """Uploaded files.

    ``url`` None stores them in a folder ``files`` beside the checkpoints. An upload that sends nothing for ``idle_s``
    seconds is aborted. ``spool_dir`` holds incomplete uploads if ``url`` is object storage; None is ``uploads`` in the
    state directory. ``cache_dir`` is the folder where each node with sandboxes keeps up to ``cache_bytes`` of the files
    that its evaluations use; None is ``file-cache`` in the state directory.
    """

    url: str | None = None
    max_bytes: int = Field(default=1 << 30, ge=1)
    idle_s: float = Field(default=30.0, gt=0)
    spool_dir: Path | None = None
    cache_dir: Path | None = None
    cache_bytes: int = Field(default=4 << 30, ge=1)


class EpisodeSettings(_Section):
    """Recorded episodes, and the processes that draw and play them.

    ``url`` None stores episodes in a folder ``episodes`` beside the checkpoints. A process that draws an episode or
    plays a policy may take ``process_wall_s`` seconds and ``process_memory_mib`` of memory; ``processes`` of them work
    at a time. At most ``watched`` trainings are watched live at a time, ``watched_per_tenant`` of one tenant.
    """

    url: str | None = None
    process_wall_s: float = Field(default=300.0, gt=0, le=3600)
    process_memory_mib: int = Field(default=3072, ge=256)
    processes: int = Field(default=1, ge=1, le=64)
    watched: int = Field(default=8, ge=0, le=256)
    watched_per_tenant: int = Field(default=2, ge=0, le=256)


class ArchiveSettings(_Section):
    """Archive of events. ``after_days`` after a run has finished, the store drops its events, which are then read from
    Parquet files at ``url``; None keeps them in the store. Without ``url`` the archive is a folder ``archive`` beside
    the checkpoints."""

    url: str | None = None
    after_days: float | None = Field(default=7.0, ge=0)


class RetentionSettings(_Section):
    """Number of days for which finished runs are kept; None keeps them for ever. Studies are kept as long as trainings.

    Then a run is removed with its events, and a training with its checkpoints and run folder, unless an unfinished
    training resumes from it. ``file_days`` is the number of days for which an uploaded file is kept after its upload,
    and after the last request that referred to it. A file of a kept evaluation is kept as long as the evaluation.
    """

    file_days: float | None = Field(default=None, ge=1)
    evaluation_days: float | None = Field(default=None, ge=1)
    training_days: float | None = Field(default=None, ge=1)


Algorithm = Literal["RS256", "RS384", "RS512", "ES256", "ES384", "EdDSA"]


class JwtSettings(_Section):
    """Bearer tokens of an outside identity provider. ``scope_claim`` is a list, or words in one string."""

    issuer: str
    audience: str
    jwks_url: str
    algorithms: tuple[Algorithm, ...] = ("RS256", "ES256")
    tenant_claim: str = "tenant"
    scope_claim: str = "scope"
    leeway_s: float = Field(default=30.0, ge=0, le=300)


CourseRole = Literal["learner", "researcher", "instructor"]


class OidcSettings(_Section):
    """Sign-in on the page with an account of an OpenID provider.

    ``tenant`` is the tenant of everybody who signs in; without it, ``tenant_claim`` names it. ``roles`` gives roles for
    values of ``role_claim``; ``default_role`` is the role of everybody else, and None refuses them. ``member_claim``
    finds a person on the roster: by the verified address if it is ``email``, else by ``external_id``. A person whose
    ``sub`` is on the roster needs no such claim. ``members_only`` refuses learners that the roster does not have.
    """

    name: str = Field(default="your organisation", min_length=1, max_length=60)
    issuer: str = Field(pattern=patterns.TRUSTED_URL)
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    scopes: str = "openid profile email"
    algorithms: tuple[Algorithm, ...] = ("RS256", "ES256")
    tenant: str | None = Field(default=None, pattern=patterns.TENANT)
    tenant_claim: str | None = None
    role_claim: str = "roles"
    roles: dict[str, CourseRole] = Field(default_factory=dict)
    default_role: CourseRole | None = "learner"
    member_claim: str | None = None
    members_only: bool = True
    leeway_s: float = Field(default=30.0, ge=0, le=300)

    @model_validator(mode="after")
    def _one_tenant(self) -> OidcSettings:
        if (self.tenant is None) == (self.tenant_claim is None):
            raise ValueError("give either tenant or tenant_claim")
        if "openid" not in self.scopes.split():
            raise ValueError("scopes must contain openid")
        return self


class AccessSettings(_Section):
    """API keys, tickets, tokens and browser sessions. The pepper is the secret that hashes and signatures are made
    with.

    A replica takes a key for ``key_lease_s`` as it read it; revoking one is answered when that has run out everywhere.
    ``public_url`` is the address of the page as browsers see it; sign-in with an account of others needs it.
    """

    pepper: SecretStr = SecretStr("")
    key_lease_s: float = Field(default=1.0, ge=0, le=60)
    ticket_life_s: float = Field(default=60.0, gt=0, le=600)
    session_life_s: float = Field(default=12 * 3600.0, ge=60, le=30 * 86400)
    public_url: str | None = Field(default=None, pattern=patterns.TRUSTED_URL)
    jwt: JwtSettings | None = None
    oidc: OidcSettings | None = None

    @model_validator(mode="after")
    def _fits(self) -> AccessSettings:
        if self.oidc is not None and self.public_url is None:
            raise ValueError("oidc needs public_url (RLP_ACCESS__PUBLIC_URL): the address of the page for browsers")
        if self.oidc is not None and self.jwt is not None and self.oidc.issuer != self.jwt.issuer:
            raise ValueError("jwt and oidc must have the same issuer, because both know people by its subjects")
        return self


class WebhookSettings(_Section):
    """Deliveries to webhooks: tried ``max_attempts`` times, ``first_retry_s`` after the first failure and four times as
    long after each further one. ``allow_private``: also to private addresses and without TLS, for development."""

    allow_private: bool = False
    max_per_tenant: int = Field(default=20, ge=0, le=200)
    timeout_s: float = Field(default=10.0, gt=0, le=60)
    max_attempts: int = Field(default=10, ge=1, le=50)
    first_retry_s: float = Field(default=5.0, gt=0)
    max_retry_s: float = Field(default=6 * 3600.0, gt=0)
    disable_after_s: float = Field(default=3 * 86400.0, gt=0)


class LogSettings(_Section):
    """Logs of the platform's processes.

    ``json`` writes a file for each kind of process, one JSON object a line, into ``folder``; None is ``logs`` in the
    state directory. ``plain`` leaves warnings and errors on standard error, which Ray keeps for each worker.
    """

    format: Literal["plain", "json"] = "plain"
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    folder: Path | None = None


class TraceSettings(_Section):
    """Traces by OpenTelemetry. ``endpoint``: address of an OTLP collector, as ``http://collector:4318``; None: no
    traces. ``ratio``: share of traces that are recorded. Headers are in ``OTEL_EXPORTER_OTLP_HEADERS`` of each node."""

    endpoint: str | None = Field(default=None, pattern=patterns.HTTP_ADDRESS)
    ratio: float = Field(default=1.0, ge=0, le=1)


class ClusterSettings(_Section):
    """The Ray cluster. ``address`` None: one is started here, with its dashboard on 8265 if that is free.

    ``max_resources``: what an autoscaler can bring the whole cluster to, as ``{"CPU": 64, "GPU": 8}``; empty: there is
    no autoscaler. A training that needs more than the cluster has then waits; one that needs more than this is refused.
    ``metrics_host``: address on which HAProxy's metrics, which have no authentication, are read.
    """

    address: str | None = None
    num_cpus: int | None = Field(default=None, ge=1)
    max_resources: dict[str, float] = Field(default_factory=dict)
    dashboard_port: int | None = Field(default=None, ge=1, le=65535)
    ingress: Literal["auto", "haproxy", "proxy"] = "auto"
    metrics_host: str = Field(default="127.0.0.1", pattern=r"^[0-9A-Fa-f:.*]+$")


class ClientSettings(BaseSettings):
    """Settings of the client and the ``rlp`` command in the environment: ``RLP_URL`` and ``RLP_API_KEY``."""

    model_config = SettingsConfigDict(env_prefix="RLP_", frozen=True, extra="ignore")

    url: str | None = None
    api_key: SecretStr | None = None


class SecretFiles(PydanticBaseSettingsSource):
    """Settings from the files ``store_url`` and ``pepper``; variables of the environment go before them."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return no value: all are read at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        folder = secrets_folder()
        found: dict[str, Any] = {}
        for name, (section, field) in _SECRET_FILES.items():
            try:
                found[section] = {field: (folder / name).read_text().strip()}
            except FileNotFoundError:
                continue
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"the secret {folder / name} cannot be read: {error}") from error
        return found


def secrets_folder() -> Path:
    """Return the folder of secret files."""
    return Path(os.environ.get("RLP_SECRETS_DIR") or SECRETS_FOLDER)


class Settings(BaseSettings):
    """All of them."""

    model_config = SettingsConfigDict(
        env_prefix="RLP_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    state_dir: Path = Path(".rlp")
    api: ApiSettings = ApiSettings()
    store: StoreSettings = StoreSettings()
    sandbox: SandboxSettings = SandboxSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    training: TrainingSettings = TrainingSettings()
    files: FileSettings = FileSettings()
    episodes: EpisodeSettings = EpisodeSettings()
    archive: ArchiveSettings = ArchiveSettings()
    retention: RetentionSettings = RetentionSettings()
    access: AccessSettings = AccessSettings()
    quotas: Quotas = Quotas(
        concurrent_evaluations=500, events_per_day=10_000_000, stored_bytes=50 << 30, file_bytes=50 << 30
    )
    webhooks: WebhookSettings = WebhookSettings()
    logs: LogSettings = LogSettings()
    traces: TraceSettings = TraceSettings()
    cluster: ClusterSettings = ClusterSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources of settings, the strongest first."""
        return init_settings, env_settings, SecretFiles(settings_cls)

    def without_pepper(self) -> Settings:
        """Return these settings for processes that neither hash nor sign, nor sign anybody in."""
        return self.model_copy(
            update={"access": self.access.model_copy(update={"pepper": SecretStr(""), "oidc": None})}
        )

    def without_secrets(self) -> Settings:
        """Return these settings for a node that holds no secret: its processes reach the store through an actor."""
        return self.without_pepper().model_copy(update={"store": StoreSettings.model_construct(url=THROUGH_ACTOR)})

    def run_folder(self, training_id: str) -> Path | None:
        """The run folder of a training on its trainer's node; None where there is to be none."""
        folder = self.training.run_dir
        return Path(self.state_dir / "runs" if folder is None else folder) / training_id if folder != "" else None


def read_settings(**given: Any) -> Settings:
    """The settings that the environment says, with ``given`` over them.

    Raises:
        InvalidRequest: names the variable and says what is accepted; the nearest, of one that does not exist.
    """
    try:
        return Settings(**given)
    except SettingsError as error:
        raise InvalidRequest(f"the environment: {error}", field="settings") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    variable = _variable(first["loc"])
    if first["type"] == "extra_forbidden":
        model: Any = Settings
        for part in first["loc"][:-1]:
            model = model.model_fields[part].annotation
        raise UnknownName("setting", variable, (_variable((*first["loc"][:-1], name)) for name in model.model_fields))
    accepted = patterns.ACCEPTED.get(first.get("ctx", {}).get("pattern", ""))
    reason = f"accepted are {accepted}" if accepted else describe_error(first)
    raise InvalidRequest(f"{variable}: {reason}", field=variable)


def _variable(location: tuple[int | str, ...]) -> str:
    return "RLP_" + "__".join(part for part in location if isinstance(part, str)).upper()
