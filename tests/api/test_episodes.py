"""Recorded episodes: by HTTP, by the clients, by the commands."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rlplatform.access.principals import Scope
from rlplatform.client import AsyncClient, Client
from rlplatform.episodes.ports import EpisodeStore
from rlplatform.errors import InvalidRequest, NotFound
from rlplatform.ids import Kind, new_id
from rlplatform.testing import samples
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.episodes import local_episodes, recording
from serve_apps.api.routes.episodes import VIDEO_WAIT_S
from tests.api.command import rlp

pytestmark = pytest.mark.anyio


@pytest.fixture
def episodes(tmp_path: Path) -> EpisodeStore:
    return local_episodes(tmp_path / "episodes")


async def test_a_training_lists_its_episodes_and_shows_them_step_by_step(platform, training, episodes) -> None:
    async with platform(episodes=episodes) as it, it.client() as client:
        run_id = (await client.post("/v1/trainings", json=training)).json()["id"]
        assert (await client.get(f"/v1/trainings/{run_id}/episodes")).json() == {"items": []}
        old, new = (episodes.put([recording(run_id, iteration=number)])[0] for number in (1, 2))
        listed = (await client.get(f"/v1/trainings/{run_id}/episodes")).json()["items"]
        assert [(info["id"], info["iteration"]) for info in listed] == [(old.id, 1), (new.id, 2)]
        shown = (await client.get(f"/v1/episodes/{old.id}")).json()
        assert (shown["rewards"], shown["actions"]) == ([1.0, 1.0, 1.0], [1, 1, 1])
        assert (shown["observations"], shown["video"]) == (None, None)
        whole = (await client.get(f"/v1/episodes/{old.id}?observations=true")).json()
        assert whole["observations"][1] == [4.0, 5.0, 6.0, 7.0]


async def test_a_video_is_drawn_once_and_read_in_parts(platform, training, episodes) -> None:
    async with platform(episodes=episodes) as it, it.client() as client:
        run_id = (await client.post("/v1/trainings", json=training)).json()["id"]
        info, long = (episodes.put([recording(run_id, steps=steps)])[0] for steps in (3, 101))
        path = f"/v1/episodes/{info.id}/video"
        whole = await client.get(path)
        assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
        assert whole.content == f"video of {info.id}".encode()
        part = await client.get(path, headers={"Range": "bytes=0-4"})
        assert (part.status_code, part.content) == (206, b"video")
        assert part.headers["content-range"] == f"bytes 0-4/{len(whole.content)}"
        assert (await client.get(path, headers={"If-None-Match": whole.headers["etag"]})).status_code == 304
        assert (await client.get(path, headers={"Range": "bytes=999-"})).status_code == 416
        assert it.app.state.context.services.player.drawn == [info.id]
        shown = (await client.get(f"/v1/episodes/{info.id}")).json()
        assert (shown["video"]["exact"], shown["video"]["frames"]) == (True, 4)
        refused = await client.get(f"/v1/episodes/{long.id}/video")
        assert (refused.status_code, refused.json()["detail"]) == (
            422,
            "CartPole-v1 has no picture: the episode can be read, not watched",
        )


async def test_video_that_is_still_being_drawn_is_not_ready(platform, training, episodes) -> None:
    clock = FakeClock()
    async with platform(episodes=episodes, clock=clock) as it, it.client() as client:
        run_id = (await client.post("/v1/trainings", json=training)).json()["id"]
        path = f"/v1/episodes/{episodes.put([recording(run_id)])[0].id}/video"
        player = it.app.state.context.services.player
        player.ready.clear()
        asked = asyncio.create_task(client.get(path))
        while not asked.done():
            await clock.advance(VIDEO_WAIT_S)
        refused = asked.result()
        assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "not_ready", "1")
        player.ready.set()
        assert (await client.get(path)).status_code == 200


async def test_policies_and_checkpoints_are_evaluated_and_their_episodes_kept(
    platform, training, episodes, tmp_path: Path
) -> None:
    checkpoints = MemoryCheckpoints()
    async with platform(episodes=episodes, checkpoints=checkpoints) as it, it.client() as client:
        run_id = (await client.post("/v1/trainings", json=training)).json()["id"]
        (tmp_path / "weights").write_bytes(b"x")
        checkpoint = checkpoints.commit(samples.checkpoint(run_id, 4), tmp_path)
        policy = (await client.post("/v1/policies", json={"checkpoint_id": checkpoint.id})).json()
        for path, owner in ((f"checkpoints/{checkpoint.id}", run_id), (f"policies/{policy['id']}", policy["id"])):
            answer = await client.post(f"/v1/{path}/evaluate", json={"episodes": 100})
            assert answer.status_code == 201, answer.text
            assert answer.json()["report"]["episodes"] == 100
            (played,) = answer.json()["episodes"]
            assert (played["run_id"], played["iteration"]) == (owner, 4)
            kind = "trainings" if owner == run_id else "policies"
            assert [info["id"] for info in (await client.get(f"/v1/{kind}/{owner}/episodes")).json()["items"]] == [
                played["id"]
            ]
        wrong = await client.post(f"/v1/policies/{policy['id']}/evaluate", json={"episodes": 1001})
        assert (wrong.status_code, wrong.json()["field"]) == (422, "episodes")
        async with it.client(await it.key(scopes=[Scope.READ])) as reader:
            refused = await reader.post(f"/v1/policies/{policy['id']}/evaluate", json={})
            assert (refused.status_code, refused.json()["scope"]) == (403, "train")


async def test_episodes_of_hidden_tests_are_for_staff_alone(platform, episodes) -> None:
    asked = {
        "source": "def act(observation): return 0",
        "grader": {"kind": "episode", "env": "CartPole-v1"},
        "tests": [{"id": "second"}, {"id": "first", "hidden": True}],
    }
    async with platform(episodes=episodes) as it:
        keys = [await it.key(scopes=[scope]) for scope in (Scope.EVALUATE, Scope.READ)]
        async with it.client(keys[0]) as learner, it.client(keys[1]) as staff:
            run_id = (await learner.post("/v1/evaluations", json=asked)).json()["id"]
            (hidden,) = episodes.put([recording(run_id, test="first", hidden=True)])
            (seen,) = episodes.put([recording(run_id, test="second", roles=("best", "median", "worst"))])
            listed = {
                who: [one["id"] for one in (await who.get(f"/v1/evaluations/{run_id}/episodes")).json()["items"]]
                for who in (learner, staff)
            }
            assert listed == {learner: [seen.id], staff: [seen.id, hidden.id]}, "in the order of the tests"
            assert (await learner.get(f"/v1/episodes/{seen.id}")).json()["test"] == "second"
            for path in (f"/v1/episodes/{hidden.id}", f"/v1/episodes/{hidden.id}/video"):
                refused = await learner.get(path)
                assert (refused.status_code, refused.json()["detail"]) == (404, "no such episode")
                assert (await staff.get(path)).status_code == 200


async def test_a_deployment_without_episodes_says_so(platform, training) -> None:
    async with platform() as it, it.client() as client:
        run_id = (await client.post("/v1/trainings", json=training)).json()["id"]
        answer = await client.get(f"/v1/trainings/{run_id}/episodes")
        assert (answer.status_code, answer.json()["detail"]) == (503, "this deployment keeps no episodes")


async def test_the_clients_and_the_commands(platform, training, episodes, tmp_path: Path) -> None:
    async with platform(episodes=episodes) as it, it.served() as url, it.client() as http:
        key = await it.key()
        run_id = (await http.post("/v1/trainings", json=training)).json()["id"]
        (info,) = episodes.put([recording(run_id, roles=("first", "best"))])
        async with AsyncClient(url, key) as client:
            assert await client.episodes(run_id) == [info]
            episode = await client.episode(info.id, observations=True)
            assert (episode.length, len(episode.observations or ())) == (3, 3)
            target = await client.download_video(info.id, tmp_path / "out.mp4")
            assert target.read_bytes() == f"video of {info.id}".encode()
            with pytest.raises(NotFound):
                await client.episode(new_id(Kind.EPISODE))
            with pytest.raises(InvalidRequest, match="is no training"):
                await client.episodes(info.id)

        def read() -> None:
            with Client(url, key) as client:
                assert client.episodes(run_id) == [info]

        await asyncio.to_thread(read)
        variables = {"RLP_URL": url, "RLP_API_KEY": key}
        listed = await rlp(tmp_path, "episode", "ls", run_id, **variables)
        assert (listed.code, "first, best" in listed.out) == (0, True), listed
        shown = await rlp(tmp_path, "episode", "show", info.id, "--observations", **variables)
        assert "3     1           1  [8.0, 9.0, 10.0, 11.0]" in shown.out
        saved = await rlp(tmp_path, "episode", "video", info.id[-6:], "-o", "cli.mp4", **variables)
        assert (saved.code, saved.out) == (0, "cli.mp4\n"), saved.err
        assert (tmp_path / "cli.mp4").read_bytes() == f"video of {info.id}".encode()
