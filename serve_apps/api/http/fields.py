"""Fields of models: which there are at a place of a request, and which of those sent there are none."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

_MOST_ITEMS = 1000  # no list of models may be longer: the rest of one that is needs no looking at

Location = tuple[str | int, ...]
Models = tuple[type[BaseModel], ...]


@dataclass
class Wrong:
    """Fields that are too many or too few: the first of them as pydantic's errors, and how many there are."""

    count: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)


def wrong_fields(value: dict[str, Any], model: type[BaseModel], most: int) -> Wrong:
    """Find the fields of ``value``, at any depth, that ``model`` does not have, and those it lacks at its top.

    The first ``most`` are described; the others are counted.
    """
    found = Wrong()
    places: list[tuple[Location, Any, Models]] = [((), value, (model,))]
    while places:
        location, sent, models = places.pop()
        if isinstance(sent, list):
            items = enumerate(sent[:_MOST_ITEMS])
            places += [((*location, index), item, models) for index, item in items if isinstance(item, dict)]
        elif isinstance(sent, dict):
            known = _known(_meant(models, sent))
            strange = sent.keys() - known.keys()
            found.count += len(strange)
            if strange and len(found.errors) < most:
                first = [name for name in sent if name in strange][: most - len(found.errors)]
                found.errors += [{"type": "extra_forbidden", "loc": (*location, name), "msg": ""} for name in first]
            inner = [(name, with_timeout) for name, with_timeout in known.items() if with_timeout and name in sent]
            places += [((*location, name), sent[name], with_timeout) for name, with_timeout in inner]
    lacking = [name for name, info in model.model_fields.items() if info.is_required() and name not in value]
    found.count += len(lacking)
    found.errors += [{"type": "missing", "loc": (name,), "msg": "Field required"} for name in lacking]
    return found


def fields_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Return the names of the fields that are accepted at ``location`` of ``model``."""
    candidates: list[Any] = [model]
    for part in location:
        candidates = [inner for candidate in candidates for inner in _inner(candidate, part)]
    return sorted({name for c in candidates if is_model(c) for name in c.model_fields})


def is_model(annotation: Any) -> bool:
    """True if ``annotation`` is a pydantic model."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


@cache
def _known(models: Models) -> dict[str, Models]:
    """The fields of any of ``models``, each with the models of what it holds."""
    found: dict[str, Models] = {}
    for model in models:
        for name, info in model.model_fields.items():
            found[name] = (*found.get(name, ()), *_models_of(info.annotation))
    return found


def _meant(models: Models, sent: dict[str, Any]) -> Models:
    """Return the members of a union that ``sent`` may be, by its ``kind``."""
    if len(models) == 1:
        return models
    kind = sent.get("kind")
    return tuple(m for m in models if "kind" in m.model_fields and m.model_fields["kind"].default == kind) or models


def _models_of(annotation: Any) -> list[type[BaseModel]]:
    """The models that a value of ``annotation`` is, or is a list of."""
    flat = flatten(annotation)
    items = [inner for one in flat if get_origin(one) is list for inner in flatten(get_args(one)[0])]
    return [one for one in (*flat, *items) if is_model(one)]


def _inner(annotation: Any, part: str | int) -> list[Any]:
    if is_model(annotation):
        info = annotation.model_fields.get(part)
        if info is not None:
            return flatten(info.annotation)
        kind = annotation.model_fields.get("kind")
        return [annotation] if kind is not None and kind.default == part else []
    if isinstance(part, int) and get_args(annotation):
        return flatten(get_args(annotation)[0])
    return []


def flatten(annotation: Any) -> list[Any]:
    """The members of a union, and of those within it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return flatten(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [inner for arg in get_args(annotation) for inner in flatten(arg)]
    return [annotation]
