"""Resume after a kill: follow a training, and continue at the next event when this program is started again.

Kill this program with ``kill -9`` and start it again: it finds the same training, because the idempotency key is the
same, and reads on behind the last event that it has handled. Kill the trainer: the platform starts another from the
newest checkpoint. Kill the platform and start it again in the same folder, on the same port: the client reconnects
within two minutes, and the training continues from the checkpoint.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from rlplatform.client import Client
from rlplatform.training.events import TrainingCheckpointSaved, TrainingInterrupted, TrainingRecovered

STATE = Path("resume-example.json")
REQUEST = {
    "env": "CartPole-v1",
    "seed": 1,
    "stop": {"env_steps": 200_000},
    "checkpoint": {"every_iterations": 10},
}


def main(client: Client) -> None:
    state = load()
    training = client.start_training(REQUEST, idempotency_key=state["idempotency_key"])
    print(f"following {training.id} after event {state['seq']}; the position is kept in {STATE}", flush=True)
    for event in client.events(training.id, after=state["seq"]):
        if isinstance(event, TrainingCheckpointSaved):
            print(f"saved at {event.checkpoint.env_steps:,} steps", flush=True)
        elif isinstance(event, TrainingInterrupted):
            print(f"interrupted: {event.reason}", flush=True)
        elif isinstance(event, TrainingRecovered):
            print(f"recovered from {event.checkpoint_id} at {event.env_steps:,} steps", flush=True)
        state["seq"] = event.seq
        save(state)
    training = client.training(training.id)
    print(f"{training.state} after {training.progress.env_steps:,} steps and {training.restarts} restarts")
    STATE.unlink()


def load() -> dict[str, Any]:
    """Return the idempotency key and the number of the last handled event; of a new training, if nothing is kept."""
    if STATE.exists():
        kept: dict[str, Any] = json.loads(STATE.read_text())
        return kept
    fresh = {"idempotency_key": f"resume-example-{uuid4()}", "seq": 0}
    save(fresh)  # before the request: a program killed in between asks again with the same key
    return fresh


def save(state: dict[str, Any]) -> None:
    """Replace the file in one step, so that a kill leaves the old or the new one."""
    part = STATE.with_suffix(".part")
    part.write_text(json.dumps(state))
    part.replace(STATE)
