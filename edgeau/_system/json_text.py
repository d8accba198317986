"""Reading JSON that may come from anybody, and JSON that people read."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["json_text", "parse_json"]


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON document.

    Raises:
        ValueError: it is not JSON, or nested deeper than Python's parser goes, which raises RecursionError by itself.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def json_text(document: Any, *, indent: int = 2, encoding: str = "utf-8") -> str:
    """A JSON document for people: letters as they are where an encoding holds all of them, else escaped.

    Args:
        document: plain JSON values; text may hold bytes of a file name that are no text.
        indent: spaces.
        encoding: of the place where it will stand.

    Raises:
        ValueError: it holds NaN or an infinity, which JSON has not.
    """
    text = json.dumps(document, indent=indent, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(document, indent=indent, ensure_ascii=True, allow_nan=False)
    return text
