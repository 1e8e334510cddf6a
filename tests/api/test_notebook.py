"""A training in a notebook: its curve, live, and its data frame."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from rlplatform.client import Client
from rlplatform.errors import Unavailable
from rlplatform.notebook import TrainingView, dataframe
from rlplatform.notebook.curve_svg import Evaluated, curve
from rlplatform.testing import samples
from rlplatform.training.events import TrainingEvaluated
from rlplatform.training.models import EvaluationReport

pytestmark = pytest.mark.anyio


async def _trained(it: Any, training: dict[str, Any]) -> Any:
    async with it.client() as client:
        answer = await client.post("/v1/trainings", json={**training, "name": "<first>"})
    run = await it.store.get(answer.json()["id"])
    await it.commands.iterate(run, 1, 6)
    values = {name: 50.0 for name in EvaluationReport.model_fields if name != "episodes"}
    report = EvaluationReport.model_validate({"episodes": 10, **values})
    at: dict[str, Any] = {"stream": run.stream, "time": samples.checkpoint().created_at, "simulated": True}
    await it.commands.play(run.stream, TrainingEvaluated(**at, iteration=6, env_steps=1536, report=report))
    await it.commands.succeed(run)
    return run


async def test_a_view_shows_state_and_curve_and_gives_a_data_frame(platform, training: dict[str, Any]) -> None:
    async with platform() as it, it.served() as url:
        run, key = await _trained(it, training), await it.key()

        def looked() -> tuple[str, Any, Any]:
            with Client(url, key) as client:
                view = TrainingView(client, run.id)
                return view._repr_html_(), view.to_dataframe(), dataframe(client, env="CartPole-v1")

        html, frame, same = await asyncio.to_thread(looked)
        assert "<polyline" in html
        assert "<circle" in html
        assert "succeeded · 1,536 steps · return 60.0" in html
        assert "&lt;first&gt;" in html
        assert f"{url}/#/trainings/{run.id}" in html
        assert frame.env_steps.tolist() == [256 * number for number in range(1, 7)]
        assert frame["eval/episode_return_mean"].dropna().tolist() == [50.0]
        assert frame.equals(same)


async def test_a_view_redraws_itself_until_the_end(
    platform, training: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    class Handle:
        def update(self, view: TrainingView) -> None:
            shown.append(view.training.state.value)

    async with platform() as it, it.served() as url:
        key = await it.key()
        async with it.client() as client:
            run = await it.store.get((await client.post("/v1/trainings", json=training)).json()["id"])

        def watched() -> None:
            import IPython.display

            monkeypatch.setattr(IPython.display, "display", lambda **_: Handle())
            with Client(url, key) as client:
                TrainingView(client, run.id).watch()

        watching = asyncio.create_task(asyncio.to_thread(watched))
        await it.commands.iterate(run, 1, 3)
        await it.commands.succeed(run)
        await watching
        assert shown[-1] == "succeeded"


async def test_without_pandas_it_says_what_to_install(
    platform, training: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(Unavailable, match=r"pandas is not installed here: pip install 'rlplatform\[analysis\]'"):
        dataframe(Client("http://127.0.0.1:1", "key"), "train_1")


def test_a_curve_without_points_is_empty_and_one_point_has_axes() -> None:
    assert curve([], [], [], x_label="steps") == ""
    assert curve([float("nan")], [1.0], [], x_label="steps") == ""
    picture = curve([5.0], [2.0], [Evaluated(5.0, 2.0, 0.0)], x_label="environment steps")
    assert "environment steps" in picture
    assert "NaN" not in picture
