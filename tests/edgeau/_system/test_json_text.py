from __future__ import annotations

import pytest

from edgeau._system.json_text import json_text, parse_json


def test_documents_are_read_as_json_reads_them() -> None:
    assert (
        parse_json('{"a": [1, 2.5, null]}') == parse_json(b'{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}
    )


@pytest.mark.parametrize(
    "text", ["[" * 100_000 + "]" * 100_000, '{"a":' * 50_000 + "1" + "}" * 50_000, "{", "", "\0"]
)
def test_what_is_not_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


@pytest.mark.parametrize("name", ["caf\u00e9", "caf\udce9"])
def test_any_name_is_written_and_read_again(name: str) -> None:
    text = json_text({"name": name})
    assert parse_json(text.encode()) == {"name": name}
    assert ("caf\u00e9" in text) is (name == "caf\u00e9")
    with pytest.raises(ValueError, match="JSON"):
        json_text(float("nan"))
