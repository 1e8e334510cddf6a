"""Files to keep with a judgement, within an allowance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rlplatform.evaluation.graders.base import TestFields
from rlplatform.evaluation.graders.output_files import OutputTest
from rlplatform.sandbox.models import FileFault, Outcome


class MadeFile(NamedTuple):
    """A file that an evaluation has made, by the program in ``test`` or (None) by the grader."""

    path: str
    content: bytes
    test: str | None = None
    hidden: bool = False


class KeptFiles:
    """Files of one judgement that are kept: at most ``most_bytes`` of them together."""

    def __init__(self, most_bytes: int) -> None:
        self._most = self._left = most_bytes
        self.files: list[MadeFile] = []

    def collect(self, test: TestFields, outcome: Outcome) -> str | None:
        """Keep the files that ``test`` asks for; return what to say of those that are not kept."""
        if not isinstance(test, OutputTest) or not test.collect:
            return None
        notes = []
        for path in test.collect:
            content = outcome.files.get(path, FileFault.MISSING)
            if isinstance(content, FileFault):
                notes.append(f"{path} is not kept: it {content.value}")
            elif len(content) > self._left:
                notes.append(
                    f"{path} is not kept: the files of an evaluation have at most {self._most >> 20} MiB together "
                    "(RLP_EVALUATION__MAX_KEPT_MIB)"
                )
            else:
                self._left -= len(content)
                self.files.append(MadeFile(path, content, test.id, test.hidden))
        return "\n".join(notes) or None

    def add(self, made: Mapping[str, bytes]) -> None:
        """Keep files that the grader has made. They have limits of their own."""
        self.files += [MadeFile(path, content) for path, content in made.items()]
