"""Recorded episodes and policy evaluations in words. Pure: returns text, prints nothing."""

from __future__ import annotations

import json

from rlplatform.cli.formatting.facts import FACT, fact_lines, when
from rlplatform.cli.numbers import measure, plus_minus
from rlplatform.episodes.models import Episode, EpisodeInfo
from rlplatform.policies.models import PolicyEvaluation


def episode_row(info: EpisodeInfo) -> dict[str, str]:
    """An episode as a row of a list."""
    return {
        "ID": info.id,
        **({"TEST": info.test} if info.test is not None else {}),
        "KEPT AS": ", ".join(info.roles),
        "RETURN": measure(info.episode_return),
        "STEPS": f"{info.length:,}",
        **({"ITERATION": f"{info.iteration:,}" if info.iteration is not None else ""} if info.test is None else {}),
        "SEED": str(info.seed) if info.seed is not None else "",
        "CREATED": when(info.created_at),
    }


def episode(episode: Episode) -> str:
    """An episode as text: its facts, then a line a step."""
    cut = "" if episode.recorded_steps == episode.length else f", of which {episode.recorded_steps:,} are recorded"
    facts = {
        "id": episode.id,
        "belongs to": episode.run_id,
        "test": episode.test,
        "environment": episode.env,
        "seed": episode.seed,
        "kept as": ", ".join(episode.roles),
        "return": f"{episode.episode_return:g}",
        "steps": f"{episode.length:,}{cut}",
        "iteration": episode.iteration,
        "video": episode.no_video or (episode.video.difference or "as recorded" if episode.video else "not drawn yet"),
        "created": when(episode.created_at),
    }
    lines = [fact_lines(facts), "", "STEP  REWARD      ACTION"]
    for step, (reward, action) in enumerate(zip(episode.rewards, episode.actions, strict=True)):
        seen = f"  {json.dumps(episode.observations[step])}" if episode.observations is not None else ""
        lines.append(f"{step + 1:<4}  {reward:<10.4g}  {json.dumps(action)}{seen}")
    return "\n".join(lines)


def evaluation_of_policy(evaluation: PolicyEvaluation) -> str:
    """A policy evaluation as text: its report, and the recorded episodes."""
    report = evaluation.report
    error = report.episode_return_std / max(1, report.episodes) ** 0.5
    facts = {
        "episodes": f"{report.episodes:,}",
        "return": f"{plus_minus(report.episode_return_mean, error)} (standard error)",
        "least, greatest": f"{report.episode_return_min:g}, {report.episode_return_max:g}",
        "length": measure(report.episode_length_mean),
    }
    lines = [fact_lines(facts)]
    lines += [f"{', '.join(info.roles):<{FACT}}{info.id} ({info.episode_return:g})" for info in evaluation.episodes]
    return "\n".join(lines)
