"""Vela itself, on a tiny network in make test, on the packaged light network in the slow proofs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeau.bundle import load_bundle
from edgeau.bundle.golden import read_golden
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import ConversionError, EngineError
from edgeau.runtimes import open_session
from edgeau_export.converters.ethos_u import vela as compile_with_vela
from edgeau_export.export import export_bundle
from edgeau_export.tools.reference_kernels import ReferenceKernels

TARGET = """
name = "one-npu"
title = "One Ethos-U"
opset = 17
install = ""
[[artifact]]
file = "model.int8.tflite"
runtime = "litert"
precision = "int8"
batch = 1
recipe = "quick"
integer_ends = true
[[artifact]]
file = "model.npu.tflite"
runtime = "ethos-u"
precision = "int8"
batch = 1
recipe = "quick"
device = "ethos-u55-256"
compiled_from = "model.int8.tflite"
"""


@pytest.fixture(scope="module")
def bundle(vela, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("ethos-u")
    (folder / "target.toml").write_text(TARGET)
    export_bundle(str(folder / "target.toml"), folder / "bundle", checkpoint, landmarks="none")
    return load_bundle(folder / "bundle")


def test_the_compiler_s_figures_are_in_the_manifest_and_the_report(bundle) -> None:
    source, compiled = bundle.manifest.artifacts
    made = compiled.compiled
    assert made is not None
    assert (made.device, made.source) == ("ethos-u55-256", source.file)
    assert made.compiler.startswith("ethos-u-vela 5")
    assert made.on_accelerator == made.operators, "integers at both ends leave nothing to the processor"
    assert 0 < made.sram_bytes < 2 << 20
    assert made.cycles > 0
    assert b"ethos-u" in bundle.path(compiled.file).read_bytes(), "the custom operator of the driver"
    report = bundle.path("report.md").read_text()
    assert "operators accelerated (100.0%)" in report
    assert "nothing of it was measured on a device" in report


def test_the_source_answers_for_the_compiled_file(bundle) -> None:
    source, compiled = bundle.manifest.artifacts
    golden = read_golden(bundle.path(bundle.manifest.golden))
    batch = Preprocessor(bundle.manifest.input).batch(golden.crops)
    with ReferenceKernels(bundle.path(source.file), device="ethos-u55-256") as session:
        answered = session.run(batch)
    assert np.array_equal(answered, golden.answers[compiled.file].logits)
    assert "reference kernels" in compiled.parity.engine


def test_integer_ends_are_integers_and_answer_as_floats_do(bundle) -> None:
    from ai_edge_litert.interpreter import Interpreter

    file = bundle.path("model.int8.tflite")
    interpreter = Interpreter(model_path=str(file))
    assert [end["dtype"] for end in interpreter.get_input_details()] == [np.int8]
    assert [end["dtype"] for end in interpreter.get_output_details()] == [np.int8]


def test_a_board_s_file_is_refused_here_in_one_sentence(bundle) -> None:
    with pytest.raises(EngineError, match=r"model.npu.tflite was compiled for a board's NPU and runs there"):
        open_session("ethos-u", bundle.path("model.npu.tflite"))


def test_what_vela_refuses_is_named(vela, tmp_path: Path) -> None:
    (tmp_path / "x.tflite").write_bytes(b"no model")
    with pytest.raises(ConversionError, match=r"Vela refuses x\.tflite for ethos-u55-256"):
        compile_with_vela(tmp_path / "x.tflite", "ethos-u55-256", tmp_path / "out.tflite")


@pytest.mark.slow
def test_light_fits_a_microcontroller(vela, tmp_path: Path) -> None:
    manifest = export_bundle("ethos-u", tmp_path / "bundle", landmarks="none")
    made = [item.compiled for item in manifest.artifacts if item.compiled]
    assert [item.device for item in made] == ["ethos-u55-256", "ethos-u65-256", "ethos-u85-256"]
    for item in made:
        assert item.on_accelerator / item.operators >= 0.99
        assert item.sram_bytes < 2 << 20
