from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.errors import BundleError


def edit(path: Path, change) -> None:
    manifest = json.loads((path / "manifest.json").read_text())
    change(manifest)
    (path / "manifest.json").write_text(json.dumps(manifest))


def flip_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def put_device(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def rename_label(manifest: dict) -> None:
    manifest["labels"][0] = "AU99"


EDITS = {
    "a newer schema": (
        lambda m: m.update(schema_version=4),
        "schema version 4, this edgeau reads up to 3.*upgrade",
    ),
    "an unknown field": (lambda m: m.update(colour="RGB"), "unknown field 'colour'; known are"),
    "an unknown field inside": (lambda m: m["input"].update(gamma=2.2), "input: unknown field 'gamma'"),
    "a missing field": (lambda m: m.pop("labels"), "field 'labels' is missing"),
    "a text for a number": (
        lambda m: m["network"].update(parameters="many"),
        "parameters: expected int, got str",
    ),
    "a number for a text": (lambda m: m.update(golden=7), "golden: expected str, got int"),
    "true for a number": (lambda m: m["files"][0].update(bytes=True), "expected int, got True"),
    "three values of two": (lambda m: m["input"].update(size=[1, 2, 3]), "size: expected 2 values, got 3"),
    "a renamed label": (rename_label, "thresholds of 'model.onnx' and the labels differ in AU1, AU99"),
    "a label twice": (lambda m: m.update(labels=["AU1", "AU1"]), "labels: one appears twice"),
    "no label": (lambda m: m.update(labels=[]), "labels: there is none"),
    "no artifact": (lambda m: m.update(artifacts=[]), "artifacts: there is none"),
    "a threshold of 7": (lambda m: m["artifacts"][0]["thresholds"].update(AU1=7), "leave 0..1"),
    "another digest": (lambda m: m["artifacts"][0].update(sha256="0" * 64), "another size or digest"),
    "an unlisted file": (lambda m: m.update(golden="other.npz"), "'other.npz' is used but not listed"),
    "a way out": (lambda m: m["files"][0].update(file="../model.onnx"), "not a path inside the bundle"),
    "an absolute path": (lambda m: m["files"][0].update(file="/etc/passwd"), "not a path inside the bundle"),
    "another layout": (lambda m: m["input"].update(layout="NHWC"), "layout 'NHWC'; this edgeau knows NCHW"),
    "another alignment": (lambda m: m["alignment"].update(method="affine"), "'affine' is not known"),
    "another crop size": (lambda m: m["alignment"].update(size=200), "is not the alignment's 200"),
    "fusion of nothing": (
        lambda m: m.update(fusion={"network": {}, "landmark": {}, "bias": {}}),
        "fusion: needs a landmark_model",
    ),
    "experimental strangers": (
        lambda m: m.update(experimental=["AU99"]),
        "experimental: not among the labels",
    ),
    "a rest of other labels": (
        lambda m: m.update(
            landmark_model="golden.npz",
            fusion={part: dict.fromkeys(m["labels"], 0.0) for part in ("network", "landmark", "bias")}
            | {"rest": {"AU99": 0.0}},
        ),
        "fusion: rest and the labels differ in AU1",
    ),
    "a mean of NaN": (lambda m: m["input"].update(mean=[0.5, float("nan"), 0.5]), "nan is not a number"),
    "a deviation of infinity": (lambda m: m["input"].update(std=[1, 1, float("inf")]), "inf is not a number"),
    "half a letter": (lambda m: m["network"].update(title="\ud800"), r"\\ud800' holds control characters"),
    "a title that clears the screen": (lambda m: m["network"].update(title="\x1b[2J"), "control characters"),
    "a name with a zero": (lambda m: m["files"][0].update(file="a\0"), "control characters"),
    "a crop of a gigapixel": (
        lambda m: (m["input"].update(size=[40000] * 2), m["alignment"].update(size=40000)),
        "a side has 1 to 4096 pixels",
    ),
    "a negative deviation": (lambda m: m["input"].update(std=[0.2, -0.2, 0.2]), "std must be above 0"),
}


@pytest.mark.parametrize(("change", "message"), EDITS.values(), ids=EDITS)
def test_an_edited_manifest_is_refused(bundle_path: Path, change, message: str) -> None:
    edit(bundle_path, change)
    with pytest.raises(BundleError, match=message) as caught:
        load_bundle(bundle_path)
    assert str(bundle_path / "manifest.json") in str(caught.value)


FILE_FAULTS = {
    "a changed byte": (lambda p: flip_a_byte(p / "model.onnx"), r"model\.onnx has changed since it was made"),
    "a changed golden": (lambda p: flip_a_byte(p / "golden.npz"), r"golden\.npz has changed"),
    "a missing file": (lambda p: (p / "model.onnx").unlink(), r"file model\.onnx is missing"),
    "a cut file": (lambda p: (p / "model.onnx").write_bytes(b"short"), r"model\.onnx has 5 bytes, not \d+"),
    "a cut manifest": (lambda p: (p / "manifest.json").write_text('{"schema_version": 1,'), "is not JSON"),
    "no manifest": (lambda p: (p / "manifest.json").unlink(), "is not a bundle: it has no manifest.json"),
    "a list": (lambda p: (p / "manifest.json").write_text("[]"), "expected dict, got list"),
    "bytes": (lambda p: (p / "manifest.json").write_bytes(b"\xff\xfe\x00"), "is not JSON"),
    "no end": (lambda p: put_device(p / "manifest.json"), "manifest.json is not a file"),
    "a long manifest": (
        lambda p: (p / "manifest.json").write_bytes(b" " * (17 << 20)),
        "more than 16,777,216",
    ),
    "a long name": (
        lambda p: edit(p, lambda m: m["files"].append({"file": "a" * 300, "bytes": 1, "sha256": "0"})),
        "aaa cannot be read",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), FILE_FAULTS.values(), ids=FILE_FAULTS)
def test_a_damaged_bundle_is_refused(bundle_path: Path, spoil, message: str) -> None:
    spoil(bundle_path)
    with pytest.raises(BundleError, match=message):
        load_bundle(bundle_path)


@pytest.mark.parametrize("place", ["", "modules/face_detection"])
def test_an_unlisted_landmark_network_is_refused(tmp_path: Path, place: str) -> None:
    import shutil

    from edgeau.bundle.files import record_of

    bundle = tmp_path / "bundle"
    shutil.copytree(packaged_bundle_path("light"), bundle)
    networks = bundle / "landmarks"
    networks.mkdir()
    names = ("face_detection_short_range.tflite", "face_landmark.tflite", "NOTICE.txt")
    for name in names:
        (networks / name).write_bytes(b"listed")

    def bring(manifest: dict) -> None:
        for name in names:
            one = record_of(bundle, f"landmarks/{name}")
            manifest["files"].append({"file": one.file, "bytes": one.bytes, "sha256": one.sha256})
        detector, mesh, notice = (f"landmarks/{name}" for name in names)
        manifest["landmarks"] = {"detector": detector, "mesh": mesh, "notice": notice, "points": 468}
        manifest["landmarks"] |= {"source": "here", "licence": "Apache-2.0"}

    edit(bundle, bring)
    load_bundle(bundle)
    other = networks / place / ("face_landmark_with_attention.tflite" if not place else names[0])
    other.parent.mkdir(parents=True, exist_ok=True)
    other.write_bytes(b"nobody verified this")
    with pytest.raises(BundleError, match=rf"{other.name} is not listed in its manifest, and lies where"):
        load_bundle(bundle)
    shutil.rmtree(networks / "modules", ignore_errors=True)
    other.unlink(missing_ok=True)
    (networks / "modules").symlink_to(tmp_path)
    with pytest.raises(BundleError, match=r"landmarks/modules is not listed"):
        load_bundle(bundle)


def test_nothing_is_opened_before_everything_is_verified(bundle_path: Path, monkeypatch) -> None:
    from edgeau.action_units.network import AUDetector
    from edgeau.bundle import benchmark as measuring
    from edgeau.bundle import verification

    opened = []
    monkeypatch.setattr(verification, "open_session", lambda *args, **options: opened.append(args))
    for module in (verification, measuring):
        monkeypatch.setattr(module, "read_golden", opened.append)
    flip_a_byte(bundle_path / "golden.npz")
    with pytest.raises(BundleError):
        AUDetector.load(bundle_path)
    assert opened == []


def test_a_bundle_of_before_figures_named_their_engine_still_loads(bundle_path: Path) -> None:
    def make_old(manifest: dict) -> None:
        manifest["schema_version"] = 1
        for artifact in manifest["artifacts"]:
            for figures in filter(None, (artifact["parity"], artifact["accuracy"])):
                del figures["engine"]

    edit(bundle_path, make_old)
    assert load_bundle(bundle_path).manifest.schema_version == 1


def test_a_place_without_a_bundle_says_what_a_bundle_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, message in ((tmp_path / "none", "does not exist"), (tmp_path / "file", "is a file")):
        with pytest.raises(BundleError, match=f"{message}; a bundle is the folder that edgeau-export"):
            load_bundle(path)


def test_a_copied_bundle_is_the_same_bundle(bundle_path: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(bundle_path, tmp_path / "copy")
    assert load_bundle(copy).digest == load_bundle(bundle_path).digest


def test_artifacts_are_asked_for_by_engine_precision_both_or_file(make_bundle) -> None:
    bundle = load_bundle(make_bundle(files={"a.onnx": None, "b.onnx": 1}))
    assert [a.file for a in bundle.artifacts()] == ["a.onnx", "b.onnx"]
    for choice in ("onnxruntime", "fp32", "onnxruntime/fp32"):
        assert len(bundle.artifacts(choice)) == 2
    assert [a.file for a in bundle.artifacts("b.onnx")] == ["b.onnx"]
