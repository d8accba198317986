"""Weights beside an ONNX file are listed and verified, or the bundle is refused."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

from edgeau.bundle import external_data, load_bundle, packaged_bundle_path
from edgeau.bundle.external_data import external_files
from edgeau.bundle.files import record_of
from edgeau.errors import BundleError


def record_anew(folder: Path, *more: str) -> None:
    """Right digests for what is there, and for ``more``."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    names = [item["file"] for item in manifest["files"]]
    records = {name: record_of(folder, name) for name in [*names, *more]}
    manifest["files"] = [
        {"file": name, "bytes": one.bytes, "sha256": one.sha256} for name, one in records.items()
    ]
    for item in manifest["artifacts"]:
        item.update(bytes=records[item["file"]].bytes, sha256=records[item["file"]].sha256)
    path.write_text(json.dumps(manifest))


def outside(folder: Path, location: str) -> None:
    """The bundle's network with its weights in a file of their own."""
    model = onnx.load(folder / "model.onnx")
    (folder / location).parent.mkdir(parents=True, exist_ok=True)
    onnx.save_model(
        model, folder / "model.onnx", save_as_external_data=True, location=location, size_threshold=0
    )


def test_unlisted_weights_are_refused(bundle_path: Path) -> None:
    outside(bundle_path, "weights.data")
    record_anew(bundle_path)
    with pytest.raises(
        BundleError, match=r"model.onnx reads weights from 'weights.data', which its manifest does not"
    ):
        load_bundle(bundle_path)


def test_listed_weights_are_verified(bundle_path: Path) -> None:
    outside(bundle_path, "weights.data")
    record_anew(bundle_path, "weights.data")
    load_bundle(bundle_path)
    content = bytearray((bundle_path / "weights.data").read_bytes())
    content[100] ^= 1
    (bundle_path / "weights.data").write_bytes(content)
    with pytest.raises(BundleError, match="weights.data has changed"):
        load_bundle(bundle_path)


def test_names_are_found_however_they_are_written(bundle_path: Path, tmp_path: Path) -> None:
    outside(bundle_path, "ä" * 60 + ".data")
    content = (bundle_path / "model.onnx").read_bytes()
    assert external_files(bundle_path / "model.onnx") == ["ä" * 60 + ".data"]
    elsewhere = tmp_path / "elsewhere.onnx"
    elsewhere.write_bytes(content.replace(b"\n\x08location\x12", b"\n\x08location\x1a"))
    assert external_files(elsewhere) == [""]


def field(number: int, content: bytes) -> bytes:
    """A field of Protocol Buffers."""
    numbers = [number << 3 | 2, len(content)]
    return b"".join(_varint(one) for one in numbers) + content


def _varint(number: int) -> bytes:
    low = number & 0x7F
    return bytes([low]) if number < 0x80 else bytes([low | 0x80]) + _varint(number >> 7)


def with_entry(entry: bytes) -> bytes:
    """A network whose weights are where an entry says."""
    made = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 17]> g (float[n, 3] x) => (float[n, 2] y) { y = MatMul(x, w) }'
    )
    weights = onnx.TensorProto(
        dims=[3, 2], data_type=onnx.TensorProto.FLOAT, name="w", data_location=onnx.TensorProto.EXTERNAL
    )
    tensor = field(5, weights.SerializeToString() + field(13, entry))
    graph = made.graph.SerializeToString() + tensor
    made.ClearField("graph")
    return made.SerializeToString() + field(7, graph)


@pytest.mark.parametrize(
    "entry",
    [
        b"\n\x08location\x12\x05w.bin",
        b"\n\x88\x80\x00location\x12\x05w.bin",
        b"\x8a\x00\x08location\x12\x05w.bin",
        b"\x8a\x80\x80\x80\x70\x08location\x12\x05w.bin",
        b"\n\x08location\x12\x04good\x12\x05w.bin",
        b"\x12\x05w.bin\n\x08location",
        b"\n\x01x\x12\x05w.bin\n\x08location",
    ],
    ids=["plain", "long length", "long tag", "tag of 35 bits", "two values", "value first", "two keys"],
)
def test_whatever_name_an_engine_reads_is_found(tmp_path: Path, entry: bytes) -> None:
    import numpy as np
    import onnxruntime

    (tmp_path / "a.onnx").write_bytes(with_entry(entry))
    assert "w.bin" in external_files(tmp_path / "a.onnx")
    (tmp_path / "w.bin").write_bytes(np.full((3, 2), 7, np.float32).tobytes())
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    assert session.run(None, {"x": np.ones((1, 3), np.float32)})[0].tolist() == [[21.0, 21.0]]


@pytest.mark.parametrize("name", ["model.ONNX", "model.bin", "model", "model.xml"])
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino", "tensorrt"])
def test_a_file_of_another_suffix_is_not_of_its_engine(bundle_path: Path, name: str, runtime: str) -> None:
    (bundle_path / "model.onnx").rename(bundle_path / name)
    path = bundle_path / "manifest.json"
    manifest = json.loads(path.read_text().replace('"model.onnx"', json.dumps(name)))
    manifest["artifacts"][0]["runtime"] = runtime
    path.write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"does not end in \.onnx, as files of"):
        load_bundle(bundle_path)


def test_the_word_alone_is_no_file(tmp_path: Path) -> None:
    word = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 17]> location (float[n] x) => (float[n] location) { location = Relu(x) }'
    )
    onnx.save(word, tmp_path / "a.onnx")
    (tmp_path / "empty.onnx").touch()
    assert external_files(tmp_path / "a.onnx") == external_files(tmp_path / "empty.onnx") == []
    (tmp_path / "b.onnx").write_bytes(b"\x08location: no model at all")
    assert external_files(tmp_path / "b.onnx") == [""]
    for name in ("default", "light"):
        folder = packaged_bundle_path(name)
        assert [external_files(file) for file in folder.glob("*.onnx")] == [[], []]


@pytest.mark.parametrize("piece", range(8, 40))
def test_a_name_is_found_wherever_a_piece_of_the_file_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    (tmp_path / "a.onnx").write_bytes(with_entry(b"\n\x08location\x12\x05w.bin"))
    monkeypatch.setattr(external_data, "_PIECE", piece)
    assert external_files(tmp_path / "a.onnx") == ["w.bin"]
