"""Judge two submissions against visible and hidden tests. The first has a bug, the second is correct."""

from __future__ import annotations

from rlplatform.client import Client

WRONG = """\
def discounted_return(rewards, gamma):
    total = 0.0
    for reward in rewards:  # in the wrong order
        total = reward + gamma * total
    return total
"""
RIGHT = WRONG.replace("in rewards:  # in the wrong order", "in reversed(rewards):")

ASSIGNMENT = {
    "grader": {"kind": "function", "entry": "discounted_return"},
    "checker": {"kind": "floats"},
    "limits": {"cpu_time_s": 1, "wall_time_s": 3},
    "tests": [
        {"id": "undiscounted", "args": [[1.0, 2.0, 3.0], 1.0], "expected": 6.0},
        {"id": "discounted", "args": [[0.0, 0.0, 1.0], 0.5], "expected": 0.25},
        {"id": "empty", "args": [[], 0.9], "expected": 0.0, "hidden": True, "points": 2},
    ],
}


def main(client: Client) -> None:
    for source in (WRONG, RIGHT):
        result = client.evaluate({**ASSIGNMENT, "source": source})
        for test in result.tests:
            print(f"  {test.id:14} {test.verdict:14} {test.points:g} points  {test.message or ''}".rstrip())
        print(f"{result.verdict}: {result.score:g} of {result.max_score:g} points\n")
