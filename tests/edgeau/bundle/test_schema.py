"""The JSON Schema of the manifest against every kind of manifest, against broken ones, and against the records that it describes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from edgeau.bundle import PACKAGED, packaged_bundle_path
from edgeau.bundle import manifest as records
from edgeau.bundle.manifest import SCHEMA_VERSION, Compiled, Manifest, Measured, Pending

SCHEMA = json.loads((files("edgeau.bundle") / "manifest.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema_version"]["maximum"] == SCHEMA_VERSION


@pytest.mark.parametrize(
    ("part", "record"),
    [
        (SCHEMA, Manifest),
        *(
            (SCHEMA["$defs"][name], getattr(records, record))
            for name, record in {
                "file": "FileRecord",
                "input": "InputSpec",
                "network": "NetworkInfo",
                "parity": "Parity",
                "accuracy": "Accuracy",
                "calibration": "Calibration",
                "compiled": "Compiled",
                "artifact": "Artifact",
                "fusion": "Fusion",
                "landmarks": "LandmarkNetworks",
                "pending": "Pending",
                "measured": "Measured",
            }.items()
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_field_of_a_record_is_described_and_required_where_it_has_no_default(part, record) -> None:
    fields = {field.name: field for field in dataclasses.fields(record)}
    assert set(part["properties"]) == set(fields)
    needed = {
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    assert set(part["required"]) == needed


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged_manifests_fit(name: str) -> None:
    assert faults(packaged(name)) == []


def test_a_manifest_with_everything_fits() -> None:
    values = packaged("light")
    values["artifacts"][0]["compiled"] = dataclasses.asdict(Compiled("vela 5", "ethos-u55-256"))
    values["pending"] = [dataclasses.asdict(Pending("engine", "not portable", "edgeau finish ."))]
    values["measured"] = [dataclasses.asdict(Measured("model.fp32.onnx", "x 1", {"board": "none"}))]
    values["schema_version"] = 3
    assert faults(values) == []


def _artifact(change: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    return lambda values: values["artifacts"][0].update(change)


BROKEN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no labels": lambda values: values.pop("labels"),
    "an empty list of labels": lambda values: values.update(labels=[]),
    "a label twice": lambda values: values.update(labels=["AU1", "AU1"]),
    "a field nobody knows": lambda values: values.update(colour="red"),
    "a newer schema": lambda values: values.update(schema_version=SCHEMA_VERSION + 1),
    "no artifact": lambda values: values.update(artifacts=[]),
    "another layout": lambda values: values["input"].update(layout="NHWC"),
    "a standard deviation of nothing": lambda values: values["input"].update(std=[0, 1, 1]),
    "a path out of the bundle": lambda values: values["files"][0].update(file="../secret"),
    "a path in the middle out of it": lambda values: values["files"][0].update(file="a/../../secret"),
    "an absolute path": lambda values: values.update(golden="/etc/passwd"),
    "a path of Windows": lambda values: values.update(golden="a\\b"),
    "a short digest": lambda values: values["files"][0].update(sha256="abc"),
    "a negative size": lambda values: values["files"][0].update(bytes=-1),
    "an unknown alignment": lambda values: values["alignment"].update(method="by eye"),
    "a batch of nothing": _artifact({"batch": 0}),
    "a threshold above 1": _artifact({"thresholds": {"AU1": 1.5}}),
    "answers of another kind": _artifact({"answers": "votes"}),
    "a size in words": _artifact({"bytes": "many"}),
    "a compiler without a device": _artifact({"compiled": {"compiler": "vela"}}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_manifests_do_not_fit(name: str) -> None:
    values = packaged("light")
    BROKEN[name](values)
    assert faults(values) != []


def packaged(name: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((packaged_bundle_path(name) / "manifest.json").read_text("utf-8"))
    return values


def faults(values: dict[str, Any]) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(values)]


def test_the_page_names_the_schema_and_its_version(request: pytest.FixtureRequest) -> None:
    page = (Path(request.config.rootpath) / "docs" / "bundle-format.md").read_text("utf-8")
    assert "edgeau/bundle/manifest.schema.json" in page
    assert f"(currently {SCHEMA_VERSION})" in page
