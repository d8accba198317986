"""Frozen dataclasses to plain JSON values and back, checked against their type hints."""

from __future__ import annotations

import types
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from edgeau.errors import RecordError

__all__ = ["JsonSerializable", "fields_from_dict", "from_dict", "to_dict"]

Record = TypeVar("Record")


class JsonSerializable(ABC):
    """A record whose JSON values are not its fields."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON values."""

    @classmethod
    @abstractmethod
    def from_dict(cls, values: dict[str, Any]) -> Any:
        """The inverse; :class:`RecordError` for other values."""


def to_dict(record: Any) -> Any:
    """A record as plain JSON values."""
    if isinstance(record, JsonSerializable):
        return record.to_dict()
    if is_dataclass(record):
        return {field.name: to_dict(getattr(record, field.name)) for field in fields(record)}
    if isinstance(record, dict):
        return {key: to_dict(value) for key, value in record.items()}
    if isinstance(record, list | tuple):
        return [to_dict(value) for value in record]
    return record


def from_dict(kind: type[Record], values: Any, where: str) -> Record:
    """A record from plain JSON values.

    Args:
        kind: a dataclass whose fields are plain values, tuples, mappings or further dataclasses.
        values: what JSON gave.
        where: place for error messages.

    Raises:
        RecordError: a field is missing, unknown, or of the wrong type. It names the place and what is wrong; what to do
            about it differs from one kind of file to the next, so readers say that.
    """
    return _parse(kind, values, where)  # type: ignore[no-any-return]


def fields_from_dict(kind: type[Record], values: Any, where: str) -> Record:
    """Read like :func:`from_dict`, field by field even where the dataclass has JSON values of its own.

    Raises:
        RecordError: a field is missing, unknown, or of the wrong type.
    """
    return _parse_record(kind, values, where)  # type: ignore[no-any-return]


def _parse(kind: Any, value: Any, where: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        return _parse_optional(arguments, value, where)
    # On Python 3.10 tuple[str, ...] counts as an instance of type, and issubclass refuses it.
    if origin is None and isinstance(kind, type) and issubclass(kind, JsonSerializable):
        return _parse_itself(kind, value, where)
    if is_dataclass(kind):
        return _parse_record(kind, value, where)
    if origin is tuple:
        return _parse_tuple(arguments, value, where)
    if origin in (dict, Mapping):
        items = _expect(dict, value, where).items()
        return {key: _parse(arguments[1], item, _inside(where, key)) for key, item in items}
    return _parse_plain(kind, value, where)


def _parse_plain(kind: Any, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise RecordError(where, "the number is too large for a float") from None
    if kind is int and isinstance(value, bool):
        raise RecordError(where, f"expected int, got {value!r}")
    return _expect(kind, value, where)


def _parse_optional(arguments: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in arguments:
        return None
    (kind,) = (argument for argument in arguments if argument is not type(None))
    return _parse(kind, value, where)


def _parse_itself(kind: type[JsonSerializable], value: Any, where: str) -> Any:
    try:
        return kind.from_dict(_expect(dict, value, where))
    except RecordError as error:
        raise RecordError(_inside(where, error.where), error.what) from error


def _parse_tuple(arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    items = _expect(list, value, where)
    kinds = (arguments[0],) * len(items) if arguments[-1] is Ellipsis else arguments
    if len(kinds) != len(items):
        raise RecordError(where, f"expected {len(kinds)} values, got {len(items)}")
    return tuple(
        _parse(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(zip(kinds, items, strict=True))
    )


def _parse_record(kind: Any, value: Any, where: str) -> Any:
    values = _expect(dict, value, where)
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}
    for name in values:
        if name not in known:
            raise RecordError(where, f"unknown field {name!r}; known are {', '.join(known)}")
    for name, field in known.items():
        if name not in values and field.default is MISSING and field.default_factory is MISSING:
            raise RecordError(where, f"field {name!r} is missing")
    return kind(**{name: _parse(hints[name], item, _inside(where, name)) for name, item in values.items()})


def _expect(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, kind):
        raise RecordError(where, f"expected {kind.__name__}, got {type(value).__name__} {str(value)[:40]!r}")
    return value


def _inside(where: str, name: str) -> str:
    """The place of a field inside a place; either may be empty."""
    return f"{where}: {name}" if where and name else where or name
