"""The process that draws an episode or plays a policy: ``python -m rlplatform.playing.worker FOLDER``.

The folder holds ``job.json`` and the job's files. It gets the results, or ``problem.json`` that says why not.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rlplatform.environments import environment_modules
from rlplatform.environments.faults import describe
from rlplatform.environments.sandboxed import registry
from rlplatform.episodes.models import VideoInfo
from rlplatform.episodes.recording import Recording
from rlplatform.errors import EngineError, PlatformError, problem
from rlplatform.playing import users_code

MAX_FRAMES = 2000
"""Pictures of a video. Longer episodes show every second, third … step."""


def draw(folder: Path, _: dict[str, Any]) -> None:
    """Draw ``episode.npz`` as ``video.mp4``, described by ``video.json``."""
    from rlplatform.episodes.replay import Replay
    from rlplatform.playing.graphics import prepare_graphics
    from rlplatform.playing.video import encode

    recording = Recording.unpack((folder / "episode.npz").read_bytes())
    prepare_graphics()
    replay = Replay(recording)
    stride = max(1, math.ceil(len(recording.rewards) / MAX_FRAMES))
    path = folder / "video.mp4"
    measures = encode(replay.frames(stride), replay.frames_per_s, path)
    info = VideoInfo(
        frames=measures.frames,
        frames_per_s=replay.frames_per_s,
        steps_per_frame=stride,
        width=measures.width,
        height=measures.height,
        size_bytes=path.stat().st_size,
        replay_return=replay.episode_return,
        exact=replay.difference is None,
        difference=replay.difference,
    )
    (folder / "video.json").write_text(info.model_dump_json())


def play(folder: Path, job: dict[str, Any]) -> None:
    """Play the policy that the folder holds; write ``report.json`` and the recorded episodes, ``0.npz`` and so on."""
    import torch

    from rlplatform.algorithms.registry import ALGORITHMS
    from rlplatform.environments.options import EnvOptions
    from rlplatform.episodes.recorder import EpisodeRecorder, RecordedFor
    from rlplatform.playing.policies import load_policy
    from rlplatform.training.policy_evaluation import evaluate_policy

    torch.set_num_threads(1)
    policy = load_policy(folder, ALGORITHMS[job["algorithm"]])
    policy.seed(job["seed"])
    recorder = EpisodeRecorder()
    report = evaluate_policy(
        lambda obs: policy.act(obs, deterministic=job["deterministic"])[0],
        job["env"],
        job["env_config"],
        job["episodes"],
        job["seed"],
        options=EnvOptions(**job["options"]),
        recorder=recorder,
    )
    owner = RecordedFor(job["run_id"], datetime.now(UTC), job["iteration"], job["env_steps"])
    for place, recording in enumerate(recorder.recordings(owner)):
        (folder / f"{place}.npz").write_bytes(recording.pack()[1])
    (folder / "report.json").write_text(report.model_dump_json())
    (folder / "faults.json").write_text(json.dumps(registry.faults().total))


def show(folder: Path, job: dict[str, Any]) -> None:
    """Play the newest policy for as long as somebody asks for pictures."""
    from rlplatform.playing.show import watch

    watch(folder, job)


JOBS: dict[str, Callable[[Path, dict[str, Any]], None]] = {"draw": draw, "play": play, "watch": show}


def limit(job: dict[str, Any]) -> None:
    """Have the kernel hold this process to the job's limits."""
    os.nice(job["nice"])
    memory = job["memory_mib"] << 20
    seconds = math.ceil(job["cpu_s"])
    limits = {
        resource.RLIMIT_CPU: (seconds, seconds + 1),
        resource.RLIMIT_DATA: (memory, memory),
        resource.RLIMIT_FSIZE: (1 << 30, 1 << 30),
        resource.RLIMIT_CORE: (0, 0),
    }
    for name, (soft, hard) in limits.items():
        resource.setrlimit(name, (soft, hard))


def main() -> None:
    """Do the job in the folder that is given, behind everything else that wants the CPU."""
    folder = Path(sys.argv[-1])
    job = json.loads((folder / "job.json").read_text())
    limit(job)
    environment_modules.configure(job["modules"])
    users_code.install(job)
    try:
        JOBS[job["job"]](folder, job)
    except PlatformError as error:
        (folder / "problem.json").write_text(json.dumps(problem(error)))
    except MemoryError:
        (folder / "problem.json").write_text(
            json.dumps(problem(EngineError(f"it needs more than {job['memory_mib']} MiB of memory")))
        )
    except BaseException as error:
        (folder / "problem.json").write_text(json.dumps(problem(EngineError(describe(error)))))
    registry.close()
    sys.stdout.flush()
    os._exit(0)  # graphics libraries fail while they are torn down


if __name__ == "__main__":
    main()
