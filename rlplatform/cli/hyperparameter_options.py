"""Commands that take hyperparameters say how, if one is given as an option of its own."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from rlplatform.algorithms.registry import ALGORITHMS
from rlplatform.errors import InvalidRequest


class TrainingCommand(TyperCommand):
    """A command with ``--hyperparams``: it refuses ``--learning-rate 0.001`` with the way to write it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        options = {option for parameter in self.params for option in parameter.opts}
        hyperparameters, _ = ALGORITHMS["ppo"].resolve("", None, {})
        for option in (arg.partition("=")[0] for arg in args if arg.startswith("--")):
            name = option.removeprefix("--").replace("-", "_")
            if option not in options and name in type(hyperparameters).model_fields:
                raise InvalidRequest(f"{name} is a hyperparameter: give it as -H {name}:VALUE", field=option)
        return super().parse_args(ctx, args)
