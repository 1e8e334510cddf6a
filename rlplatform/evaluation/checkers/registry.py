"""All checkers. A further one is a file beside this one, and a line here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rlplatform.evaluation.checkers.builtin import (
    ExactChecker,
    FloatsChecker,
    LinesChecker,
    TokensChecker,
    UnorderedChecker,
)
from rlplatform.evaluation.checkers.program import ProgramChecker

AnyChecker = Annotated[
    ExactChecker | TokensChecker | LinesChecker | FloatsChecker | ProgramChecker | UnorderedChecker,
    Field(discriminator="kind"),
]
