from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from typing import Any

import pytest

from edgeau._system.records import from_dict, to_dict
from edgeau.bundle.manifest import Manifest
from edgeau.errors import BundleError, RecordError
from edgeau.faces.alignment import Alignment


@dataclass(frozen=True)
class Part:
    name: str
    size: tuple[int, int]
    alignment: Alignment | None = None


@dataclass(frozen=True)
class Whole:
    parts: tuple[Part, ...]
    weight: float = 1.0


GOOD: dict[str, Any] = {"parts": [{"name": "a", "size": [1, 2], "alignment": Alignment().to_dict()}]}


def test_a_record_survives_the_round_trip_through_json() -> None:
    whole = from_dict(Whole, GOOD, "whole.json")
    assert from_dict(Whole, json.loads(json.dumps(to_dict(whole))), "whole.json") == whole


@pytest.mark.parametrize(
    ("values", "where", "what"),
    [
        ([], "f.json", "expected dict, got list"),
        ({}, "f.json", "field 'parts' is missing"),
        ({"parts": [{"name": 1, "size": [1, 2]}]}, "f.json: parts[0]: name", "expected str, got int"),
        ({"parts": [{"name": "a", "size": [1]}]}, "f.json: parts[0]: size", "expected 2 values, got 1"),
        (
            {"parts": [{"name": "a", "size": [1, True]}]},
            "f.json: parts[0]: size[1]",
            "expected int, got True",
        ),
        ({"parts": [], "colour": 1}, "f.json", "unknown field 'colour'; known are parts, weight"),
        (
            {"parts": [{"name": "a", "size": [1, 2], "alignment": {"method": "affine"}}]},
            "f.json: parts[0]: alignment: method",
            "'affine' is not known",
        ),
        (
            {"parts": [{"name": "a", "size": [1, 2], "alignment": {**Alignment().to_dict(), "size": "big"}}]},
            "f.json: parts[0]: alignment: size",
            "expected int, got str",
        ),
    ],
)
def test_what_does_not_fit_is_named_without_advice(values: Any, where: str, what: str) -> None:
    with pytest.raises(RecordError) as caught:
        from_dict(Whole, values, "f.json")
    assert caught.value.where == where
    assert caught.value.what.startswith(what)
    assert "export" not in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


def test_a_manifest_adds_the_advice_of_a_bundle() -> None:
    with pytest.raises(BundleError, match=r"m\.json: field 'edgeau_version' is missing; .*export the bundle"):
        Manifest.from_dict({}, "m.json")
