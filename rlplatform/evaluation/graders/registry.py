"""All graders. A further one is a file beside this one; its grader and the fields of its tests get a line each here."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from rlplatform.evaluation.graders.base import Grader
from rlplatform.evaluation.graders.dialogue import DialogueGrader, DialogueTest
from rlplatform.evaluation.graders.environment import EnvironmentGrader, EnvironmentTest
from rlplatform.evaluation.graders.episode import EpisodeGrader, EpisodeTest
from rlplatform.evaluation.graders.function import FunctionGrader, FunctionTest
from rlplatform.evaluation.graders.interactive import InteractiveGrader, InteractiveTest
from rlplatform.evaluation.graders.notebook import NotebookGrader, NotebookTest
from rlplatform.evaluation.graders.pytest_suite import PytestGrader, PytestTest
from rlplatform.evaluation.graders.stdio import StdioGrader, StdioTest

_Graders = (
    StdioGrader
    | FunctionGrader
    | EpisodeGrader
    | DialogueGrader
    | InteractiveGrader
    | PytestGrader
    | NotebookGrader
    | EnvironmentGrader
)
AnyGrader = Annotated[_Graders, Field(discriminator="kind")]
GRADERS: tuple[type[Grader], ...] = get_args(_Graders)


class TestCase(
    DialogueTest, EnvironmentTest, EpisodeTest, FunctionTest, InteractiveTest, NotebookTest, PytestTest, StdioTest
):
    """One test. The grader determines its fields: `stdin` and `expected_stdout` (stdio); `args`, `kwargs` and
    `expected` (function); `seed` and `min_return` (episode); either `turns` or `secret` (dialogue);
    `input` and `answer` (interactive); `node` (pytest); `cell` and `after` (notebook); `check` (environment).
    `expect_files` and `collect` go with stdio and function."""

    __test__ = False
