"""Find docstrings and comments that a reader has to decode: openings without a verb or a noun, and archaic words."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

OPENINGS = "What|Who|Whose|Whom|Whether|Those|Of|Where|Until|Which|Why|One of|None of|Nobody|Nothing"
WORDS = {
    r"anew": "again",
    r"but for": "except",
    r"for one(?=[,.;)])": "for example",
    r"(?:is|are|was|were|be) told": "is notified, receives",
    r"has it that": "says",
    r"(?:is|are) over": "has finished",
    r"wished": "requested",
    r"small letters": "lower-case letters",
    r"who (?:is|are|has|asks|calls|connects|waits|listens)": "the noun",
    r"let in": "admitted",
    r"sent off": "suspended",
    r"passed? (?:on|over)": "forwards, skips",
    r"takes? up": "resumes, adopts",
    r"given up": "abandoned, failed",
    r"come again": "retry",
    r"thereby|wherein|whereof|lest|thereof": "plain words",
    r"as (?:it|they) (?:is|are|was|were)(?=[,.;:)]|$)": "unchanged",
    r"goes? on": "continues",
    r"broken? off": "was interrupted",
    r"says? so": "reports it",
}

_OPENING = re.compile(rf"(?:{OPENINGS})\b")
_WORDS = [(re.compile(rf"\b(?:{words})(?!\w)", re.IGNORECASE), better) for words, better in WORDS.items()]
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def findings(name: str, source: str) -> Iterator[str]:
    """Yield ``file:line: rule N: …`` for each finding in the Python file ``name``, by the numbers of the style guide.

    Rule 1: a docstring opens with a verb or a concrete noun. Rule 4: modern words.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and (text := ast.get_docstring(node)) is not None:
            line = node.body[0].lineno
            if _OPENING.match(text):
                yield f"{name}:{line}: rule 1: open with a verb or a concrete noun, not with {text.split()[0]!r}"
            yield from _archaic(name, line, text)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and "noqa" not in token.string:
            yield from _archaic(name, token.start[0], token.string)


def _archaic(name: str, line: int, text: str) -> Iterator[str]:
    for words, better in _WORDS:
        for match in words.finditer(text):
            yield f"{name}:{line}: rule 4: write {better!r} instead of {match.group(0)!r}"
