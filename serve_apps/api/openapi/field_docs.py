"""Descriptions of the fields of models: the docstrings under them, read from the source when the document is made.

Pydantic can do this while a class is made (``use_attribute_docstrings``), but then every start of the command line
would pay for it.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel


def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring under each field of ``model``, its own and those that it inherits."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if issubclass(cls, BaseModel) and cls is not BaseModel:
            name = cls.__pydantic_generic_metadata__["origin"] or cls
            found |= _of_module(inspect.getfile(name)).get(name.__qualname__, {})
    return found


@functools.cache
def _of_module(path: str) -> Mapping[str, Mapping[str, str]]:
    """The docstrings under the fields of each class at the top of a module."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    return {node.name: _of_class(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _of_class(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = inspect.cleandoc(text).replace("\n", " ")
    return found
