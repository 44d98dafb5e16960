"""The protocol's vocabulary: its JSON Schema, and which keys belong where."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from forethought.protocol.problems import KeyPath
from forethought.protocol.protocol import Protocol


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of protocol.yaml, for editors. What sections say of each other is not in it."""
    described = Protocol.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}


def keys_at(at: KeyPath, data: object) -> tuple[str, ...]:
    """The keys that the mapping at `at` may have; none where its keys are the author's own names."""
    return tuple(_described(at, data).get("properties", ()))


def required_at(at: KeyPath, data: object) -> tuple[str, ...]:
    """The keys that the mapping at `at` must have."""
    return tuple(_described(at, data).get("required", ()))


def later_at(at: KeyPath, data: object) -> tuple[str, ...]:
    """The words that the value at `at` may take in a later release."""
    node, value, root = _reached(at, data)
    return tuple(_narrowed(node, value, root).get("later", ()))


def later_kinds_at(at: KeyPath, key: str, data: object) -> tuple[str, ...]:
    """The kinds, told apart by `key`, that the mapping at `at` may have in a later release."""
    node, _, root = _reached(at, data)
    said = [option.get("properties", {}).get(key, {}).get("later", ()) for option in _options(node, root)]
    return tuple(word for words in said for word in words)


def _described(at: KeyPath, data: object) -> Mapping[str, Any]:
    """What the schema says of the value at `at`, of the alternative that the data name."""
    node, value, root = _reached(at, data)
    return _narrowed(node, value, root)


def _reached(at: KeyPath, data: object) -> tuple[Mapping[str, Any], object, Mapping[str, Any]]:
    """What the schema says at `at`, all alternatives together; the value there; and the schema's root."""
    root = _schema()
    node: Mapping[str, Any] = root
    for step in at:
        node = _inner(_narrowed(node, data, root), step)
        data = _value(data, step)
    return node, data, root


@cache
def _schema() -> dict[str, Any]:
    return schema()


def _inner(node: Mapping[str, Any], step: str | int) -> Mapping[str, Any]:
    if isinstance(step, int):
        return node.get("items", {})  # type: ignore[no-any-return]
    properties = node.get("properties", {})
    return properties.get(step, {})  # type: ignore[no-any-return]


def _value(data: object, step: str | int) -> object:
    if isinstance(data, Mapping):
        return data.get(step)
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return data[step]
    return None


def _narrowed(node: Mapping[str, Any], data: object, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of the alternative that the data name by their discriminator; of all together where none is named."""
    options = [option for option in _options(node, root) if "properties" in option]
    for option in options:
        if isinstance(data, Mapping) and _names(option, data):
            return option
    together = {key: one for option in options for key, one in option["properties"].items()}
    return {"properties": together} if options else node


def _names(option: Mapping[str, Any], data: Mapping[str, object]) -> bool:
    constants = {key: one["const"] for key, one in option["properties"].items() if "const" in one}
    return all(data.get(key) == constant for key, constant in constants.items())


def _options(node: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in node:
        yield from _options(root["$defs"][node["$ref"].rsplit("/", 1)[1]], root)
    elif "oneOf" in node or "anyOf" in node:
        for option in (*node.get("oneOf", ()), *node.get("anyOf", ())):
            yield from _options(option, root)
    else:
        yield node
