"""JSON schemas of the models in the OpenAPI document, for each of the three ways in which one is used.

- In a *request*, a field with a default may be left out. The default is described in words, because generators of
  TypeScript treat a field with a ``default`` as always present.
- In a *response*, the API writes every field.
- In an *event*, fields without a default are present; others may be missing from events of an older version.

A model whose schemas differ has several: under its own name for requests, as ``…Output`` for responses, and as
``…InEvent`` for events.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import PydanticUndefined, core_schema

from serve_apps.api.openapi.field_docs import field_docs

REF = "#/components/schemas/{model}"
Schemas = dict[str, Any]

_ENVELOPE = frozenset({"id", "seq", "type"})  # have defaults, and are in every event all the same


class _Described(GenerateJsonSchema):
    """Pydantic's schemas with the descriptions of fields, and without the titles that it makes of their names."""

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        cls: type[BaseModel] = schema["cls"]
        found = super().model_schema(schema)
        origin = cls.__pydantic_generic_metadata__["origin"] or cls
        found["description"] = plain(origin.__doc__ or "")
        docs = field_docs(cls)
        for name, field in found.get("properties", {}).items():
            if name in docs:
                field["description"] = docs[name]
            if "description" in field:
                field["description"] = plain(field["description"])
        required = [
            name for name in found.get("properties", {}) if name in cls.model_fields and self.always_there(cls, name)
        ]
        found.pop("required", None)
        return found | ({"required": required} if required else {})

    def enum_schema(self, schema: core_schema.EnumSchema) -> dict[str, Any]:
        return super().enum_schema(schema) | {"description": plain(schema["cls"].__doc__ or "")}

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> dict[str, Any]:
        """Require the field that discriminates the members of a union, although it has a default."""
        found = super().tagged_union_schema(schema)
        if "discriminator" not in found:  # text or a file: told apart by their JSON types
            return found
        tag = found["discriminator"]["propertyName"]
        for member in found["oneOf"]:
            definition = self.get_schema_from_definitions(member["$ref"])
            if definition is not None and tag not in definition.get("required", []):
                definition["required"] = [tag, *definition.get("required", [])]
        return found

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - a name is no title
        return False

    def always_there(self, cls: type[BaseModel], field: str) -> bool:
        """True if an object of ``cls`` always has ``field``."""
        raise NotImplementedError


class _Request(_Described):
    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        found = super().model_schema(schema)
        for name, field in found.get("properties", {}).items():
            if (info := schema["cls"].model_fields.get(name)) is None:  # an old name, which is still taken
                continue
            if (default := field.pop("default", None)) not in (None, "", PydanticUndefined) and "const" not in field:
                field["description"] = (
                    f"{info.description or field.get('description', '')} Default: `{_json(default)}`."
                )
        return found

    def always_there(self, cls: type[BaseModel], field: str) -> bool:
        return cls.model_fields[field].is_required()


class _Response(_Described):
    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        found = super().model_schema(schema)
        for field in found.get("properties", {}).values():
            field.pop("default", None)
        return found

    def always_there(self, cls: type[BaseModel], field: str) -> bool:  # noqa: ARG002
        return True


class _Event(_Response):
    def always_there(self, cls: type[BaseModel], field: str) -> bool:
        return field in _ENVELOPE or cls.model_fields[field].is_required()


def request_schemas(models: Iterable[Any]) -> Schemas:
    """Return the schemas of ``models`` (classes, or named unions as ``(name, type)``) as a client sends them."""
    return _schemas(models, "validation", _Request)


def response_schemas(models: Iterable[Any]) -> Schemas:
    """Return the schemas of ``models`` as the API writes them."""
    return _schemas(models, "serialization", _Response)


def event_schemas(models: Iterable[Any]) -> Schemas:
    """Return the schemas of ``models`` as the log has them."""
    return _schemas(models, "serialization", _Event)


def _schemas(models: Iterable[Any], mode: JsonSchemaMode, generator: type[GenerateJsonSchema]) -> Schemas:
    models = list(models)
    classes = [model for model in models if isinstance(model, type)]
    _, found = models_json_schema([(model, mode) for model in classes], ref_template=REF, schema_generator=generator)
    schemas: Schemas = dict(found.get("$defs", {}))
    for name, union, description in (model for model in models if isinstance(model, tuple)):
        schema = TypeAdapter(union).json_schema(ref_template=REF, schema_generator=generator, mode=mode)
        schemas |= schema.pop("$defs", {})
        schemas[name] = {"title": name, "description": description, **schema}
    if "JsonValue" in schemas:  # pydantic's own
        schemas["JsonValue"] = {"title": "JsonValue", "description": "Any JSON value."}
    return schemas


def merge(known: Schemas, further: Schemas, suffix: str) -> dict[str, str]:
    """Add ``further`` to ``known``: what differs from its namesake there gets a name of its own, with ``suffix``.

    Returns:
        The new name of each schema that was renamed.
    """
    renamed = {name for name, schema in further.items() if name in known and known[name] != schema}
    grown = True
    while grown:  # what refers to something renamed differs, too
        referring = {name for name, schema in further.items() if renamed & set(references(schema))}
        grown = bool((referring & known.keys()) - renamed)
        renamed |= referring & known.keys()
    names = {name: name + suffix for name in renamed}
    for name, schema in further.items():
        new = with_names(schema, names)
        if name in names and "title" in new:
            new["title"] = names[name]
        known[names.get(name, name)] = new
    return names


def references(node: Any) -> Iterator[str]:
    """Yield the name of each schema that ``node`` refers to."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "$ref":
                yield value.rpartition("/")[2]
            elif key == "mapping":
                yield from (target.rpartition("/")[2] for target in value.values())
            else:
                yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def with_names(node: Any, names: Mapping[str, str]) -> Any:
    """Return ``node`` with its references to schemas changed to their new ``names``."""
    if isinstance(node, Mapping):
        return {
            key: _renamed(value, names)
            if key == "$ref"
            else {tag: _renamed(target, names) for tag, target in value.items()}
            if key == "mapping"
            else with_names(value, names)
            for key, value in node.items()
        }
    return [with_names(item, names) for item in node] if isinstance(node, list) else node


def _renamed(reference: str, names: Mapping[str, str]) -> str:
    folder, _, name = reference.rpartition("/")
    return f"{folder}/{names.get(name, name)}" if folder.endswith("/schemas") else reference


def plain(text: str) -> str:
    """Return a docstring as Markdown: one line a paragraph, code in single backquotes."""
    paragraphs = inspect.cleandoc(text).replace("``", "`").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
