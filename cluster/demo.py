"""The main job, for everyone to see: a submission is judged, and CartPole-v1 is learned. All of it over HTTP."""

from __future__ import annotations

from cluster.bootstrap import Address
from rlplatform.cli.follow import follow_evaluation, follow_training
from rlplatform.cli.formatting import trainings
from rlplatform.cli.output import Output, step
from rlplatform.client import Client
from rlplatform.errors import PlatformError
from rlplatform.evaluation.graders.registry import TestCase
from rlplatform.evaluation.models import EvaluationRequest, Verdict
from rlplatform.training.models import StopCriteria, TrainingRequest, TrainingState

GOAL = 475.0

SUBMISSION = """\
gamma, *rewards = map(float, input().split())

value = 0.0
for reward in reversed(rewards):
    value = reward + gamma * value
print(value)
"""

EVALUATION = EvaluationRequest(
    source=SUBMISSION,
    checker={"kind": "floats"},
    tests=[
        TestCase(id="undiscounted", stdin="1.0 1 2 3\n", expected_stdout="6\n"),
        TestCase(id="discounted", stdin="0.5 1 1 1\n", expected_stdout="1.75\n"),
        TestCase(id="no-rewards", stdin="0.9\n", expected_stdout="0\n", hidden=True),
    ],
)

TRAINING = TrainingRequest(
    env="CartPole-v1",
    preset="CartPole-v1",
    seed=1,
    stop=StopCriteria(env_steps=150_000, episode_return_mean=GOAL),
)


def main_job(address: Address) -> bool:
    """Evaluate a submission, train CartPole-v1; whether both came out as they should."""
    with Client(address.url, address.api_key) as client:
        evaluated = _evaluate(client)
        return _train(client) and evaluated


def _evaluate(client: Client) -> bool:
    step(f"\nEvaluating a submission of {len(EVALUATION.tests)} tests in a Docker container")
    try:
        evaluation = follow_evaluation(client, client.submit_evaluation(EVALUATION), Output())
    except PlatformError as error:
        step(f"no verdict: {error}")
        return False
    return evaluation.verdict is Verdict.ACCEPTED


def _train(client: Client) -> bool:
    step(f"\nTraining CartPole-v1 with PPO to an episode return of {GOAL:g}")
    try:
        training = follow_training(client, client.start_training(TRAINING), Output())
    except PlatformError as error:
        step(f"not trained: {error}")
        return False
    step(trainings.training(training))
    report = training.evaluation
    return training.state is TrainingState.SUCCEEDED and report is not None and report.episode_return_mean >= GOAL
