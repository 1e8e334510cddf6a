"""Use the judge as a reward function: one batch of programs in, one reward for each out.

A failure of the platform is no reward of 0: it is None, and the caller leaves that program out of its update.
"""

from __future__ import annotations

from collections.abc import Sequence

from rlplatform.client import Client
from rlplatform.errors import PlatformError
from rlplatform.evaluation.models import Evaluation

TASK = {
    "grader": {"kind": "function", "entry": "is_prime"},
    "limits": {"cpu_time_s": 1, "wall_time_s": 3},
    "tests": [
        {"id": f"of-{number}", "args": [number], "expected": prime}
        for number, prime in ((1, False), (2, True), (9, False), (97, True))
    ],
}
COMPLETIONS = (  # of a language model, say
    "def is_prime(n):\n    return n > 1 and all(n % d for d in range(2, n))\n",
    "def is_prime(n):\n    return n % 2 == 1\n",
    "def is_prime(n):\n    while True: pass\n",
    "def is_prime(n)\n    return True\n",
)


def rewards(client: Client, completions: Sequence[str]) -> list[float | None]:
    """Return the share of points that each of up to 200 programs earns; None if the platform could not judge it."""
    queued = client.submit_evaluations([{**TASK, "source": completion} for completion in completions])
    return [None if isinstance(row, PlatformError) else reward(client, row) for row in queued]


def reward(client: Client, queued: Evaluation) -> float | None:
    """Wait for an evaluation; return the share of its points that were earned."""
    done = client.wait(queued.id)  # the others run meanwhile
    return done.score / done.max_score if isinstance(done, Evaluation) and done.score is not None else None


def main(client: Client) -> None:
    for completion, earned in zip(COMPLETIONS, rewards(client, COMPLETIONS), strict=True):
        shown = "not judged" if earned is None else f"{earned:.2f}"
        print(f"{shown:10}  {completion.splitlines()[-1].strip()}")
