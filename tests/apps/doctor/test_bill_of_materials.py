"""The bill of materials by the format's own schema, and its content."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import pytest

from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau_apps.doctor.bill_of_materials import bill_of_materials
from edgeau_apps.doctor.command import main

BOTH = [None, "light"]


@pytest.fixture(scope="module", params=BOTH, ids=str)
def document(request: pytest.FixtureRequest) -> dict:
    return bill_of_materials(
        None if request.param is None else load_bundle(packaged_bundle_path(request.param))
    )


def test_it_is_by_the_schema_of_cyclonedx(document: dict) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion

    assert validation.JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document)) is None


def test_every_reference_leads_to_a_component(document: dict) -> None:
    known = {"device"} | {one["bom-ref"] for one in document["components"]}
    assert len(known) == len(document["components"]) + 1
    for edge in document["dependencies"]:
        assert {edge["ref"], *edge["dependsOn"]} <= known


def test_what_runs_here_is_listed() -> None:
    found = {one["name"]: one for one in bill_of_materials(None)["components"]}
    assert found["numpy"]["version"] == version("numpy")
    assert found["numpy"]["purl"] == f"pkg:pypi/numpy@{version('numpy')}"
    assert {"operating-system", "platform"} <= {one["type"] for one in found.values()}


def test_a_bundle_is_a_model_with_its_card_and_every_file() -> None:
    folder = packaged_bundle_path("light")
    bundle = load_bundle(folder)
    (model,) = [
        one for one in bill_of_materials(bundle)["components"] if one["type"] == "machine-learning-model"
    ]
    assert {one["name"] for one in model["components"]} == {record.file for record in bundle.manifest.files}
    for one in model["components"]:
        assert hashlib.sha256((folder / one["name"]).read_bytes()).hexdigest() == one["hashes"][0]["content"]
    card = model["modelCard"]
    assert card["modelParameters"]["architectureFamily"] == bundle.manifest.network.name
    metrics = card["quantitativeAnalysis"]["performanceMetrics"]
    assert {one["slice"].split(",")[0] for one in metrics} == {
        one.file for one in bundle.manifest.artifacts if one.accuracy is not None
    }


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bom.json"
    assert main([str(packaged_bundle_path("light")), "--sbom", str(out)]) == 0
    assert json.loads(out.read_text())["bomFormat"] == "CycloneDX"
    assert str(out) in capsys.readouterr().out
