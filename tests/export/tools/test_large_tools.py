"""RKNN-Toolkit2 and ExecuTorch fetch gigabytes: slow proofs on machines that have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeau._system.tool_environment import TOOLS, tool_versions
from edgeau.bundle import load_bundle
from edgeau.bundle.golden import read_golden
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.bundle.verification import open_verified
from edgeau.errors import EngineError
from edgeau_export.export import export_bundle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def _bundle(tool: str, target: str, out: Path, model: str = "light"):
    if not tool_versions(tool):
        pytest.skip(f"{TOOLS[tool].title} is not here; {TOOLS[tool].make_line} fetches gigabytes")
    export_bundle(target, out, model, landmarks="none")
    return load_bundle(out)


def test_executorch_runs_both_precisions_and_a_device_verifies_them(tmp_path: Path) -> None:
    bundle = _bundle("executorch", "executorch", tmp_path / "bundle")
    by_precision = {
        item.precision: item for item in bundle.manifest.artifacts if item.runtime == "executorch"
    }
    assert set(by_precision) == {"fp32", "int8"}, bundle.manifest.left_out
    for item in by_precision.values():
        assert item.compiled.on_accelerator == item.compiled.operators
        with open_verified(bundle, item) as session:
            assert session.describe().engine == "executorch"
            golden = read_golden(bundle.path(bundle.manifest.golden))
            assert session.run(Preprocessor(bundle.manifest.input).batch(golden.crops)).shape == (
                len(golden.crops),
                len(bundle.manifest.labels),
            )
    assert by_precision["fp32"].parity.max_abs_logit < 1e-3
    assert by_precision["int8"].parity.decision_flips < 0.06


def test_rockchip_s_simulator_answers_and_the_board_s_file_is_written(tmp_path: Path) -> None:
    bundle = _bundle("rknn", "rockchip", tmp_path / "bundle")
    compiled = [item for item in bundle.manifest.artifacts if item.runtime == "rknn"]
    assert {item.compiled.device for item in compiled} == {"rk3588", "rk3576", "rk3566"}
    for item in compiled:
        assert bundle.path(item.file).read_bytes()[:4] == b"RKNN"
        assert f"simulator of {item.compiled.device}" in item.parity.engine
        assert item.parity.decision_flips < 0.06
    with pytest.raises(EngineError, match="runs there only"):
        open_verified(bundle, compiled[0])
