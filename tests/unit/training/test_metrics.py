from __future__ import annotations

import json
import math

from rlplatform.training.metrics import EpisodeWindow, finite


def test_the_window_is_empty_not_nan_before_the_first_episode() -> None:
    assert EpisodeWindow().metrics() == {}


def test_the_window_holds_the_last_episodes() -> None:
    window = EpisodeWindow(size=3)
    window.extend([1, 2, 3, 4], [10, 20, 30, 40])
    assert window.metrics() == {"rollout/episode_return_mean": 3.0, "rollout/episode_length_mean": 30.0}
    window.extend([], [])
    assert len(window) == 3


def test_the_window_goes_on_from_its_state() -> None:
    window, other = EpisodeWindow(), EpisodeWindow()
    window.extend([0.1, 0.2], [1, 2])
    other.extend([9.0], [9])
    other.set_state(json.loads(json.dumps(window.get_state())))
    assert other.metrics() == window.metrics()


def test_finite_drops_what_json_cannot_hold() -> None:
    assert finite({"a": 1, "b": math.nan, "c": math.inf}) == {"a": 1.0}
