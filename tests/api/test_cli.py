"""The ``rlp`` command as people run it: a process of its own, against the application on a socket."""

from __future__ import annotations

import io
import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from rich.console import Console

from rlplatform.access.models import KeyInfo
from rlplatform.access.principals import Scope
from rlplatform.cli import exit_codes
from rlplatform.cli.follow import summary
from rlplatform.cli.formatting import tenants
from rlplatform.cli.output import Output
from rlplatform.client import AsyncClient, Client
from rlplatform.client.connection import find_connection
from rlplatform.errors import InvalidRequest, NotAuthenticated, PlatformError, error_classes
from rlplatform.evaluation.events import EvaluationOutput
from rlplatform.evaluation.models import Verdict
from rlplatform.settings import ClientSettings
from rlplatform.training.events import TrainingIterationCompleted
from rlplatform.training.models import Training
from tests.api.command import rlp, start

pytestmark = pytest.mark.anyio


@pytest.fixture
def program(tmp_path: Path) -> str:
    (tmp_path / "double.py").write_text("print(int(input())*2)")
    return "double.py"


async def test_train_ends_with_the_summary_line(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        asked = ["train", "--env", "CartPole-v1", "--env-steps", "1000", "--seed", "1", "-H", "gamma:0.9", "--json"]
        process = await start(tmp_path, *asked, **at)
        assert process.stdout is not None
        queued = json.loads(await process.stdout.readline())
        run = await it.store.get(queued["stream"].rpartition("/")[2])
        assert run.document.request.seed == 1
        assert run.document.request.hyperparameters == {"gamma": 0.9}
        await it.commands.iterate(run, 1, 4)
        await it.commands.succeed(run)
        out, _ = await process.communicate()
        lines = [json.loads(line) for line in out.splitlines()]
        assert [line["seq"] for line in lines[:-1]] == [2, 3, 4, 5, 6]
        assert lines[-1] == {
            "type": "summary",
            "training_id": run.id,
            "state": "succeeded",
            "env_steps": 1024,
            "train_wall_s": 0.4,
            "env_steps_per_s": 2560.0,
            "evaluation": None,
        }
        assert process.returncode == 0


async def test_interrupting_leaves_the_training_going(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        process = await start(tmp_path, "train", "--env", "CartPole-v1", "--env-steps", "9", **at)
        assert process.stdout is not None
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        assert process.returncode == exit_codes.INTERRUPTED
        assert b" continues\nfollow it: rlp runs watch train_" in err
        (run,) = await it.store.find("training")
        assert (run.state, run.desired) == ("queued", "run")


@pytest.mark.parametrize(("verdict", "code"), [(Verdict.ACCEPTED, 0), (Verdict.WRONG_ANSWER, 1)])
async def test_evaluate_tells_the_verdict(platform, tmp_path: Path, program: str, verdict: Verdict, code: int) -> None:
    async with platform(judge=verdict) as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        done = await rlp(tmp_path, "evaluate", program, "--stdin", "2", "--expect", "4", **at)
        assert done.code == code
        assert f"t1  {verdict}" in done.out
        tests = [{"id": "a", "args": [1], "expected": 2}, {"id": "b", "args": [2], "expected": 4}]
        (tmp_path / "tests.json").write_text(json.dumps(tests))
        more = ["--tests", "tests.json", "--function", "solve", "--memory-mb", "64", "--tier", "jail", "--json"]
        done = await rlp(tmp_path, "evaluate", program, *more, **at)
        assert done.code == code
        assert done.lines[-1]["type"] == "summary"
        assert done.lines[-1]["verdict"] == verdict
        run = await it.store.get(done.lines[-1]["id"])
        assert run.request.limits.memory_mib == 64
        assert run.request.tier == "jail"
        assert run.request.grader.kind == "function"


async def test_evaluate_with_a_pytest_suite(platform, tmp_path: Path, program: str) -> None:
    async with platform(judge=Verdict.ACCEPTED) as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        suite = tmp_path / "suite"
        (suite / "__pycache__").mkdir(parents=True)
        (suite / "__pycache__" / "x.pyc").write_bytes(b"\xff")
        (suite / "test_it.py").write_text("from main import f")
        (suite / "conftest.py").write_text("")
        done = await rlp(tmp_path, "evaluate", program, "--pytest", "suite", "--isolation", "shared", "--json", **at)
        assert done.code == 0
        grader = (await it.store.get(done.lines[-1]["id"])).request.grader
        assert (grader.kind, grader.isolation, grader.suite) == ("pytest", "shared", None)
        assert [file.path for file in grader.files] == ["conftest.py", "test_it.py"]
        wrong = await rlp(tmp_path, "evaluate", program, "--pytest", "suite", "--stdin", "1", **at)
        assert (wrong.code, "--pytest brings its own tests" in wrong.err) == (exit_codes.USAGE, True)


async def test_runs(platform, tmp_path: Path, training: dict[str, Any]) -> None:
    async with platform() as it, it.served() as url:
        key = await it.key()
        at = {"RLP_URL": url, "RLP_API_KEY": key}
        assert "no runs yet" in (await rlp(tmp_path, "runs", "ls", **at)).err
        async with it.client(key) as client:
            made = (await client.post("/v1/trainings", json=training)).json()
        assert made["id"] in (await rlp(tmp_path, "runs", "ls", **at)).out
        assert (await rlp(tmp_path, "runs", "ls", "--state", "queued", "--json", **at)).lines == [made]
        shown = (await rlp(tmp_path, "runs", "show", made["id"], "--json", **at)).lines
        assert shown == [made | {"queue_position": 0}]
        assert "environment     CartPole-v1" in (await rlp(tmp_path, "runs", "show", made["id"], **at)).out
        assert (await rlp(tmp_path, "runs", "stop", made["id"], **at)).out == f"{made['id']}: stop requested\n"
        run = await it.store.get(made["id"])
        assert run.desired == "stop"
        await it.commands.succeed(run)
        watched = await rlp(tmp_path, "runs", "watch", made["id"], "--after", "1", **at)
        assert watched.code == 0
        assert watched.out.startswith("succeeded at 0 steps: env_steps reached\n")


async def test_keys(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        made = await rlp(tmp_path, "keys", "create", "front end", "--role", "learner", **at)
        assert (made.code, made.out.startswith("rlp_")) == (0, True)
        ended = await rlp(tmp_path, "keys", "create", "over at once", "--role", "learner", "--expires-in-s", "0", **at)
        assert (ended.code, ended.out) == (exit_codes.USAGE, "")
        as_learner = {"RLP_URL": url, "RLP_API_KEY": made.out.strip()}
        assert (await rlp(tmp_path, "keys", "ls", **as_learner)).code == exit_codes.NOT_AUTHENTICATED
        listed = (await rlp(tmp_path, "keys", "ls", "--json", **at)).lines
        assert [info["name"] for info in listed] == ["test", "front end"]
        rotated = await rlp(tmp_path, "keys", "rotate", listed[1]["id"], "--overlap-s", "0", **at)
        assert rotated.out.startswith("rlp_")
        assert (await rlp(tmp_path, "keys", "revoke", listed[1]["id"], **at)).out == f"{listed[1]['id']}: revoked\n"
        table = (await rlp(tmp_path, "keys", "ls", **at)).out.splitlines()
        assert [line.split()[-1] for line in table] == ["STATE", "active", "revoked", "active"]


async def test_a_reader_that_leaves_is_no_error(platform, tmp_path: Path, training: dict[str, Any]) -> None:
    async with platform() as it, it.served() as url:
        key = await it.key()
        async with it.client(key) as client:
            run = await it.store.get((await client.post("/v1/trainings", json=training)).json()["id"])
        process = await start(tmp_path, "runs", "watch", run.id, "--json", RLP_URL=url, RLP_API_KEY=key)
        assert process.stdout is not None
        await process.stdout.readline()
        process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
        await it.commands.iterate(run, 1, 500)
        assert process.stderr is not None
        assert await process.stderr.read() == b""
        assert await process.wait() == exit_codes.FAILED


async def test_what_the_machine_refuses_is_told_in_a_line(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        with Path("/dev/full").open("wb") as full:
            process = await start(tmp_path, "env", "ls", stdout=full, **at)
            _, told = await process.communicate()
        assert (process.returncode, told) == (exit_codes.FAILED, b"error: [Errno 28] No space left on device\n")


async def test_a_terminal_of_few_characters_gets_what_it_has(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key(), "PYTHONIOENCODING": "ascii"}
        done = await rlp(tmp_path, "doctor", "--remote", **at)
        assert (done.code, done.out[:11]) == (exit_codes.DONE, "? platform:")


async def test_usage(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        done = await rlp(tmp_path, "usage", RLP_URL=url, RLP_API_KEY=await it.key())
        assert done.out.startswith("evaluations: 0 running, 0 queued; today 0 with 0.0 s of CPU\n")


async def test_exit_codes_and_hints(platform, tmp_path: Path, program: str) -> None:
    async with platform(sandbox="no Docker engine") as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        nothing = await rlp(tmp_path, "runs", "ls")
        assert (nothing.code, "set RLP_URL" in nothing.err) == (exit_codes.USAGE, True)
        unknown = await rlp(tmp_path, "evaluat", **at)
        assert (unknown.code, "Did you mean 'evaluate'?" in unknown.err) == (exit_codes.USAGE, True)
        wrong = await rlp(tmp_path, "runs", "ls", "--state", "finishd", "--kind", "evaluations", **at)
        assert (wrong.code, "did you mean finished?" in wrong.err) == (exit_codes.USAGE, True)
        stranger = await rlp(tmp_path, "runs", "ls", RLP_URL=url, RLP_API_KEY="rlp_no")
        assert (stranger.code, "hint: give --api-key" in stranger.err) == (exit_codes.NOT_AUTHENTICATED, True)
        missing = await rlp(tmp_path, "runs", "show", "train_" + "0" * 26, **at)
        assert missing.code == exit_codes.NOT_FOUND
        down = await rlp(tmp_path, "evaluate", program, "--stdin", "1", "--json", **at)
        assert (down.code, down.lines[-1]["code"]) == (exit_codes.SERVER, "sandbox_unavailable")
        doctor = await rlp(tmp_path, "doctor", "--remote", **at)
        assert (doctor.code, "✗ platform: sandbox: no Docker engine" in doctor.out) == (exit_codes.FAILED, True)
        assert f"✓ platform: {url} answers" in doctor.out


async def test_the_local_file_is_found_from_below(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        local_file(tmp_path, json.dumps({"url": url, "api_key": await it.key(), "pid": 1}))
        below = tmp_path / "a/b"
        below.mkdir(parents=True)
        done = await rlp(below, "env", "ls", "--json")
        assert [line["id"] for line in done.lines] == ["CartPole-v1"]
        elsewhere = await rlp(below, "env", "ls", RLP_URL=url + "0")
        assert elsewhere.code == exit_codes.NOT_AUTHENTICATED


@pytest.mark.parametrize("cls", error_classes())
async def test_every_error_has_an_exit_code(cls: type[PlatformError]) -> None:
    code = exit_codes.code_of(cls.__new__(cls))
    expected = {400: 2, 401: 3, 403: 3, 404: 4, 413: 2, 422: 2, 429: 5}.get(cls.status, 5 if cls.status >= 500 else 1)
    assert code == expected or cls.__name__ == "Fenced"


def iteration(number: int, second: float) -> TrainingIterationCompleted:
    return TrainingIterationCompleted(
        stream="trainings/train_x",
        seq=number,
        time=datetime.fromtimestamp(second, UTC),
        iteration=number,
        env_steps=100 * number,
        episodes=number,
        train_wall_s=second,
        metrics={"rollout/episode_return_mean": float(number)},
    )


def a_training() -> Training:
    request = {"env": "CartPole-v1", "stop": {"env_steps": 1000, "episode_return_mean": 475}}
    return Training.model_validate(
        {"id": "train_x", "state": "running", "request": request, "created_at": "2026-01-01T00:00:00Z"}
    )


async def test_plain_lines_come_at_most_once_a_second() -> None:
    written = io.StringIO()
    with Output(stdout=Console(file=written, highlight=False)).training(a_training()) as view:
        for number in range(1, 11):
            view.show(iteration(number, 1 + number * 0.3))
    lines = written.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0] == "iteration 1 (10%): 100 steps · return 1.0 · 77 steps/s · 12 s left"


async def test_a_terminal_gets_a_bar() -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=120)
    with Output(stdout=console).training(a_training()) as view:
        view.show(iteration(5, 2.0))
    assert "500 steps · return 5.0 · 250 steps/s" in written.getvalue()
    assert "50%" in written.getvalue()


async def test_a_summary_of_nothing() -> None:
    assert summary(a_training())["env_steps_per_s"] is None


def test_a_strangers_text_cannot_command_the_terminal() -> None:
    written = io.StringIO()
    at = {"stream": "evaluations/eval_1", "time": datetime.now(UTC)}
    event = EvaluationOutput(**at, attempt=1, test="t", offset=0, text="\x1b]0;owned\x07\x9b31mred\n\tplain é")
    Output(stdout=Console(file=written, highlight=False)).event(event)
    assert written.getvalue() == "  t │ \ufffd]0;owned\ufffd\ufffd31mred\n  t │   plain é\n"


def test_a_tables_columns_are_as_wide_as_they_look() -> None:
    written = io.StringIO()
    rows = [{"NAME": "策略", "STATE": "active"}, {"NAME": "two\nlines", "STATE": "revoked"}]
    Output(stdout=Console(file=written, highlight=False)).table([], rows, "none")
    assert written.getvalue() == "NAME       STATE\n策略       active\ntwo lines  revoked\n"


def test_nor_where_it_is_told_by_the_way() -> None:
    written = io.StringIO()
    output = Output(stderr=Console(file=written, highlight=False))
    output.note("stdout of t1:\n\x1b[31mred")
    output.error(InvalidRequest("no such \x1b[31mred"))
    assert written.getvalue() == "stdout of t1:\n\ufffd[31mred\nerror: no such \ufffd[31mred\n"


@pytest.mark.parametrize("text", ["", "[]", '{"url": null, "api_key": "rlp_a"}', '{"url": "http://a", "api_key": 5}'])
def test_a_damaged_local_file_is_named_where_it_is_needed(tmp_path: Path, text: str) -> None:
    local_file(tmp_path, text)
    with pytest.raises(InvalidRequest, match=r"local\.json"):
        find_connection(settings=ClientSettings(), directory=tmp_path)
    assert find_connection("http://b/", "rlp_b", directory=tmp_path) == ("http://b", "rlp_b")


def local_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / ".rlp/local.json"
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    return file


def environment(url: str | None, key: str | None) -> ClientSettings:
    return ClientSettings(url=url, api_key=SecretStr(key) if key else None)


@pytest.mark.parametrize("local", ["https://evil.test", "http://127.0.0.1:8000"])
def test_a_key_goes_only_to_the_address_that_it_was_configured_with(tmp_path: Path, local: str) -> None:
    local_file(tmp_path, json.dumps({"url": local, "api_key": "rlp_local"}))
    below = tmp_path / "a"
    below.mkdir()

    def found(url: str | None, key: str | None, settings: ClientSettings) -> tuple[str, str]:
        return tuple(find_connection(url, key, settings=settings, directory=below))

    of_env = environment("https://home.test/", "rlp_env")
    assert found(None, None, environment(None, "rlp_env")) == (local, "rlp_local"), "not the environment's key"
    assert found(None, None, of_env) == ("https://home.test", "rlp_env")
    assert found("https://home.test", None, of_env) == ("https://home.test", "rlp_env")
    assert found("https://home.test", None, environment(None, "rlp_env")) == ("https://home.test", "rlp_env")
    assert found(local, None, environment(None, None)) == (local, "rlp_local")
    assert found(local, None, environment("https://home.test", None)) == (local, "rlp_local")
    assert found(local, None, of_env) == (local, "rlp_local"), "the environment's key is for another address"
    assert found("https://b.test", "rlp_b", of_env) == ("https://b.test", "rlp_b")
    with pytest.raises(NotAuthenticated, match=r"RLP_API_KEY goes with RLP_URL, which is https://home\.test"):
        found("https://b.test", None, of_env)
    with pytest.raises(NotAuthenticated):
        found(None, None, environment("https://home.test", None))
    if "evil" in local:
        with pytest.raises(NotAuthenticated, match="give the address too"):
            found(None, "rlp_b", environment(None, None))
    else:
        assert found(None, "rlp_b", environment(None, None)) == (local, "rlp_b")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o666])
def test_a_local_file_that_others_may_read_or_write_is_not_trusted(tmp_path: Path, mode: int) -> None:
    file = local_file(tmp_path, json.dumps({"url": "http://127.0.0.1:8000", "api_key": "rlp_local"}), mode)
    with pytest.raises(InvalidRequest, match=f"is not trusted: others may read it.*{mode:03o}"):
        find_connection(settings=environment(None, None), directory=tmp_path)
    assert find_connection(settings=environment("http://a", "rlp_a"), directory=tmp_path) == ("http://a", "rlp_a")
    file.chmod(0o600)
    file.parent.chmod(0o777)
    with pytest.raises(InvalidRequest, match="others may write its folder"):
        find_connection(settings=environment(None, None), directory=tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("whose", ["file", "folder"])
def test_a_local_file_of_another_user_is_not_trusted(tmp_path: Path, whose: str) -> None:
    file = local_file(tmp_path, json.dumps({"url": "http://127.0.0.1:8000", "api_key": "rlp_local"}))
    os.chown(file if whose == "file" else file.parent, 65534, 65534)
    with pytest.raises(InvalidRequest, match="is not trusted: it belongs to another user"):
        find_connection(settings=environment(None, None), directory=tmp_path)


@pytest.mark.parametrize("url", ["http://[::1", "http://ä..b", "http://a\n"])
def test_an_address_that_is_no_url_is_said_to_be_none(url: str) -> None:
    with pytest.raises(InvalidRequest, match="is not a URL"):
        find_connection(url, "rlp_a")


@pytest.mark.parametrize("key", ["rlp_é", "rlp_a\n"])
def test_a_key_that_no_header_can_carry_is_no_key(key: str) -> None:
    with pytest.raises(NotAuthenticated):
        find_connection("http://b", key)


def test_a_key_that_has_expired_is_said_to_have() -> None:
    info = KeyInfo(
        id="key_1",
        prefix="rlp_1",
        tenant="school",
        name="lab",
        scopes=[Scope.READ],
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        expires_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    states = [tenants.key(info, datetime(2026, 1, day, tzinfo=UTC))["STATE"] for day in (1, 3)]
    assert [state.split()[0] for state in states] == ["until", "expired"]


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "foo://127.0.0.1:1"])
def test_a_proxy_that_cannot_be_used_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    for client in (Client, AsyncClient):
        with pytest.raises(InvalidRequest, match="HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names cannot be used: "):
            client("http://b", "rlp_b")


@pytest.mark.parametrize(
    ("key", "settings"), [("", environment(None, None)), (None, ClientSettings(url="http://a", api_key=SecretStr("")))]
)
def test_an_empty_key_is_no_key(tmp_path: Path, key: str | None, settings: ClientSettings) -> None:
    with pytest.raises(NotAuthenticated, match="no API key for http://a: give one"):
        find_connection("http://a", key, settings=settings, directory=tmp_path)
