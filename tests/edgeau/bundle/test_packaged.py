from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeau import Pipeline
from edgeau.bundle import PACKAGED, bundle_folder, load_bundle, packaged, packaged_bundle_path
from edgeau.errors import BundleError


@pytest.mark.parametrize("name", PACKAGED)
def test_every_name_is_a_bundle_that_stands_and_decides_the_same_action_units(name: str) -> None:
    manifest = load_bundle(packaged_bundle_path(name)).manifest
    default = load_bundle(packaged_bundle_path()).manifest
    assert manifest.labels == default.labels
    assert manifest.experimental == default.experimental
    assert [(a.runtime, a.precision) for a in manifest.artifacts] == [
        (a.runtime, a.precision) for a in default.artifacts
    ]
    assert manifest.fusion is not None
    assert manifest.fusion.rest is not None


def test_text_is_a_name_first_and_a_path_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "light").mkdir()
    assert bundle_folder("light") == packaged_bundle_path("light")
    assert bundle_folder("./light") == bundle_folder(Path("light")) == Path("light")
    assert bundle_folder("of-mine") == Path("of-mine")
    assert bundle_folder(None) == packaged_bundle_path("default")


@pytest.mark.parametrize("name", [*PACKAGED, "huge"])
def test_a_copy_without_it_says_so(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "__file__", str(tmp_path / "edgeau" / "bundle" / "packaged.py"))
    with pytest.raises(BundleError, match=f"carries no bundle named {name}"):
        packaged_bundle_path(name)


def test_what_is_packaged_only_by_its_files_name_is_no_name() -> None:
    with pytest.raises(BundleError, match="carries no bundle named assets"):
        packaged_bundle_path("assets")


def test_the_light_one_runs_by_its_name(astronaut: np.ndarray) -> None:
    with Pipeline.load("light", artifact="onnxruntime/fp32", threads=1) as pipeline:
        assert pipeline.bundle.directory == packaged_bundle_path("light")
        (face,) = pipeline.process(astronaut).faces
    assert face.aus["AU12"].active
    assert face.aus["AU12"].left is not None
    assert not face.aus["AU4"].active
