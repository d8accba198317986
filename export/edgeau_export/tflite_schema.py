"""Reading ``.tflite`` files by the schema that ai-edge-litert ships: its names for numbers, texts, and which tensors have values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeau._system.first_line import first_line
from edgeau.errors import CheckpointError, DependencyError, EdgeauError, EngineError
from edgeau.runtimes.litert_interpreter import install_advice
from edgeau.runtimes.tflite_file import check_tflite

__all__ = ["ParsedTflite", "is_filled", "names_of", "parsed_tflite", "text_of", "tflite_schema"]


@dataclass(frozen=True)
class ParsedTflite:
    """A parsed ``.tflite`` file.

    Attributes:
        schema: the module of generated classes.
        model: an instance of its ``ModelT``.
        bytes: size of the file.
    """

    schema: Any
    model: Any
    bytes: int


@contextmanager
def parsed_tflite(path: Path) -> Iterator[ParsedTflite]:
    """A file without its being run. It is looked at inside the block: flatbuffers checks nothing, so that a damaged file raises whatever its numbers lead to.

    Raises:
        CheckpointError: it is missing, cut, damaged, or no ``.tflite``; from the block too.
        DependencyError: ai-edge-litert, which has the format's schema, is not installed.
    """
    schema = tflite_schema(path.name)
    if not path.is_file():
        raise CheckpointError(f"weights {path} {'is a folder' if path.is_dir() else 'does not exist'}")
    try:
        content = path.read_bytes()
        check_tflite(content, str(path))
    except EngineError as error:
        raise CheckpointError(str(error)) from error
    except OSError as error:
        raise CheckpointError(f"weights {path} cannot be read: {error.strerror or error}") from error
    try:
        yield ParsedTflite(schema, schema.ModelT.InitFromPackedBuf(content, 0), len(content))
    except EdgeauError:
        raise
    except Exception as error:
        raise CheckpointError(
            f"{path} is damaged ({type(error).__name__}: {first_line(error)}); copy or convert it again"
        ) from error


def tflite_schema(file: str) -> Any:
    """The module of generated classes.

    Args:
        file: what is to be read, for the message.

    Raises:
        DependencyError: ai-edge-litert is not installed.
    """
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise DependencyError(f"reading {file} needs ai-edge-litert; {install_advice()}") from error
    return schema_py_generated


def names_of(enumeration: Any) -> dict[int, str]:
    """The names of an enumeration's numbers."""
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


def text_of(name: Any) -> str:
    """A name, which the schema gives as bytes."""
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def is_filled(buffer: Any) -> bool:
    """Tell whether a buffer has values: in its place, or behind the flatbuffer, where newer writers put large ones."""
    return (buffer.data is not None and len(buffer.data) > 0) or buffer.offset > 1
