"""Train a policy with PPO on CartPole-v1 and watch it learn. Events arrive live; the client reconnects by itself."""

from __future__ import annotations

from rlplatform.client import Client
from rlplatform.training.events import TrainingCheckpointSaved, TrainingEvaluated, TrainingIterationCompleted

REQUEST = {
    "env": "CartPole-v1",
    "seed": 1,
    "stop": {"env_steps": 40_000},
    "evaluation": {"episodes": 20},
}


def main(client: Client) -> None:
    training = client.start_training(REQUEST)
    print(f"{training.id} is queued")
    for event in client.events(training.id):
        if isinstance(event, TrainingIterationCompleted):
            episode_return = event.metrics.get("rollout/episode_return_mean")
            if event.iteration % 10 == 0 and episode_return is not None:
                print(f"{event.env_steps:8,} steps: mean return {episode_return:6.1f}")
        elif isinstance(event, TrainingCheckpointSaved):
            print(f"{event.checkpoint.env_steps:8,} steps: saved {event.checkpoint.id}")
        elif isinstance(event, TrainingEvaluated):
            report = event.report
            print(
                f"{event.env_steps:8,} steps: evaluation over {report.episodes} episodes: "
                f"{report.episode_return_mean:.1f} ± {report.episode_return_std:.1f}"
            )
    training = client.training(training.id)
    print(f"{training.state}: {training.stop_reason or training.message}")
    speed = client.metrics(training.id, "time/fps", max_points=5)
    print(f"environment steps a second: {speed.metrics['time/fps']}")
