"""Registry of the languages that submissions are written in. A new one is a line here and a module of the guest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple


class Language(NamedTuple):
    """How the submissions of a language are kept and run."""

    entry: str
    """File that is run."""
    image: str | None = None
    """Image of requests that name none; None: the platform's default."""


PYTHON = "python"
LANGUAGES: Mapping[str, Language] = {
    PYTHON: Language("main.py"),
}

if TYPE_CHECKING:
    LanguageName = str
else:
    LanguageName = Literal[tuple(LANGUAGES)]
