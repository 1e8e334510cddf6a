"""``rlp sweep``, ``webhooks``, ``usage`` and completion as people run them."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from rlplatform.cli import exit_codes
from tests.api.command import rlp, start
from tests.api.test_studies import owned

pytestmark = pytest.mark.anyio
SWEEP = ("sweep", "mine", "--env", "CartPole-v1", "--engine", "simulated", "--iterations", "3")


async def test_a_sweep_ranks_its_trials_and_a_rerun_starts_nothing_twice(platform, tmp_path: Path) -> None:
    grid = (*SWEEP, "-G", "learning_rate:0.1,0.2", "--seeds", "0,1", "--json")
    async with platform() as it, it.served() as url, owned(it):
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        done = await rlp(tmp_path, *grid, **at)
        assert done.code == exit_codes.DONE, done.err
        summary = done.lines[-1]
        assert [(row["rank"], row["hyperparameters"]["learning_rate"], row["mean"]) for row in summary["rows"]] == [
            (1, 0.2, 200.5),
            (2, 0.1, 100.5),
        ]
        assert sorted(line["type"] for line in done.lines) == ["finished"] * 2 + ["started"] * 4 + ["summary"]
        again = await rlp(tmp_path, *grid, **at)
        assert again.lines[-1] == summary
        table = await rlp(tmp_path, *grid[:-1], **at)
        assert table.out.splitlines()[1].split()[:5] == ["1", "200.5", "±", "0.7", "2/2"]
        assert len(await it.store.find("training")) == 4
        (tmp_path / ".rlp" / "sweeps" / "mine.json").unlink()
        elsewhere = await rlp(tmp_path, *grid, **at)
        assert elsewhere.lines[-1] == summary, "the platform knows its idempotency key, too"
        assert len(await it.store.find("training")) == 4
        other = await rlp(tmp_path, *SWEEP, "--seeds", "3", **at)
        assert (other.code, "other settings" in other.err) == (exit_codes.FAILED, True)


async def test_a_sweep_draws_what_is_sampled_for_each_combination(platform, tmp_path: Path) -> None:
    sampled = ("-G", "gamma:0.9,0.99", "-S", "learning_rate:log:0.001..0.1", "--trials", "2", "--seeds", "0")
    async with platform() as it, it.served() as url, owned(it):
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        done = await rlp(tmp_path, *SWEEP, *sampled, "--json", **at)
        assert done.code == exit_codes.DONE, done.err
        rows = [row["hyperparameters"] for row in done.lines[-1]["rows"]]
        assert sorted(row["gamma"] for row in rows) == [0.9, 0.9, 0.99, 0.99]
        assert len({row["learning_rate"] for row in rows}) == 4


async def test_a_sweep_with_one_bad_setting_starts_nothing(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        for grid in ("gamma:0.9,1.5", "learning_rate:0.1,-1", "n_stepz:8,16"):
            refused = await rlp(tmp_path, *SWEEP, "-G", grid, "--seeds", "0,1", **at)
            assert refused.code == exit_codes.USAGE, refused.err
            assert "nothing was started" in refused.err
            assert grid.partition(":")[0] in refused.err
        assert await it.store.find("study") == []


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (("--env", "FrozenLake-v1", "-H", "gama:0.9"), "unknown hyperparameter 'gama'"),
        (("--env", "FrozenLake-v1"), "say when to stop: --env-steps"),
        (("--env", "FrozenLake-v1", "--learning-rate", "0.1"), "give it as -H learning_rate:VALUE"),
    ],
)
async def test_what_is_wrong_with_a_training_is_said_before_its_missing_end(
    platform, tmp_path: Path, given: tuple[str, ...], complaint: str
) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        for command in (("train",), ("sweep", "mine", "--grid", "batch_size:8,16")):
            refused = await rlp(tmp_path, *command, *given, COLUMNS="200", **at)
            assert (refused.code, complaint in refused.err) == (exit_codes.USAGE, True), refused.err


async def test_train_dry_run_shows_what_would_be_trained(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        command = ("train", "--env", "CartPole-v1", "-n", "1000", "-H", "gamma:0.5", "--dry-run")
        shown = await rlp(tmp_path, *command, **at)
        assert shown.code == exit_codes.DONE, shown.err
        assert "stops after     1,024 steps" in shown.out
        assert "gamma           0.5" in shown.out
        assert "None" not in shown.out, "values are written as a request has them"
        assert "True" not in shown.out
        (checked,) = (await rlp(tmp_path, *command, "--json", **at)).lines
        assert checked["env_steps"] % checked["env_steps_per_rollout"] == 0
        assert checked["hyperparameters"]["gamma"] == 0.5
        assert await it.store.find("training") == []


async def test_ctrl_c_leaves_a_sweep_going_and_says_how_to_continue(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url, owned(it, iteration_s=5.0):
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        process = await start(tmp_path, *SWEEP, "-G", "learning_rate:0.1,0.2", "--seeds", "0,1", **at)
        while len(await it.store.find("training")) < 2:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        assert process.returncode == exit_codes.INTERRUPTED
        assert "the sweep continues on the platform. Follow it: the same command again" in err.decode()
        (study,) = await it.store.find("study")
        assert f"rlp study stop {study.id}" in err.decode()
        assert (study.desired, study.state) == ("run", "running")


async def test_runs_by_state_are_of_both_kinds(platform, tmp_path: Path, training, evaluation) -> None:
    async with platform() as it, it.served() as url:
        key = await it.key()
        at = {"RLP_URL": url, "RLP_API_KEY": key}
        async with it.client(key) as client:
            ids = {(await client.post("/v1/trainings", json=training)).json()["id"]}
            ids.add((await client.post("/v1/evaluations", json=evaluation)).json()["id"])
        listed = await rlp(tmp_path, "runs", "ls", "--state", "queued", "--json", **at)
        assert {line["id"] for line in listed.lines} == ids
        nothing = await rlp(tmp_path, "runs", "ls", "--state", "finished", "--state", "succeeded", **at)
        assert (nothing.code, nothing.err) == (exit_codes.DONE, "no finished or succeeded runs\n")
        wrong = await rlp(tmp_path, "runs", "ls", "--kind", "trainings", "--state", "finished", **at)
        assert wrong.code == exit_codes.USAGE
        assert "Accepted are failed, interrupted, paused, queued, running, starting, stopped, succeeded" in wrong.err


async def test_webhooks_and_quotas(platform, tmp_path: Path) -> None:
    async with platform() as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        event = ("--event", "training.succeeded")
        (made,) = (await rlp(tmp_path, "webhooks", "create", "https://example.com/", *event, "--json", **at)).lines
        hook = made["webhook"]["id"]
        assert "training.succeeded  enabled" in (await rlp(tmp_path, "webhooks", "ls", **at)).out
        assert (await rlp(tmp_path, "webhooks", "update", hook, "--disable", **at)).out == f"{hook}: disabled\n"
        (rotated,) = (await rlp(tmp_path, "webhooks", "rotate", hook, "--json", **at)).lines
        assert rotated["secret"] != made["secret"]
        assert "on its way" in (await rlp(tmp_path, "webhooks", "test", hook, **at)).out
        assert "webhook.test" in (await rlp(tmp_path, "webhooks", "log", hook, **at)).out
        assert (await rlp(tmp_path, "webhooks", "delete", hook, **at)).code == exit_codes.DONE
        assert (await rlp(tmp_path, "webhooks", "log", hook, **at)).code == exit_codes.NOT_FOUND
        quotas = ("usage", "quotas", "college")
        (found,) = (await rlp(tmp_path, *quotas, "--set", "weight:3", "--json", **at)).lines
        (found,) = (await rlp(tmp_path, *quotas, "--set", "concurrent_trainings:null", "--json", **at)).lines
        assert found["overrides"] == {"weight": 3, "concurrent_trainings": None}
        assert (await rlp(tmp_path, *quotas, "--reset", "--json", **at)).lines[0]["overrides"] == {}
        wrong = await rlp(tmp_path, *quotas, "--set", "wieght:3", **at)
        assert (wrong.code, "did you mean weight?" in wrong.err) == (exit_codes.USAGE, True)
        assert "quota concurrent_evaluations: 0 of 500" in (await rlp(tmp_path, "usage", **at)).out


@pytest.mark.parametrize(("shell", "mark"), [("bash", "complete -o default"), ("zsh", "#compdef rlp")])
async def test_completion_for_shells(tmp_path: Path, shell: str, mark: str) -> None:
    done = await rlp(tmp_path, "--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert (done.code, mark in done.out) == (exit_codes.DONE, True), done.err
    asked = {"COMP_WORDS": "rlp swe", "COMP_CWORD": "1", "_TYPER_COMPLETE_ARGS": "rlp swe"}
    done = await rlp(tmp_path, _RLP_COMPLETE=f"complete_{shell}", **asked)
    assert "sweep" in done.out
