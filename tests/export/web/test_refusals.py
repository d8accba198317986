"""What the page cannot run is one clear sentence, and nothing else is shown."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest

from edgeau.bundle.files import record_of
from edgeau.bundle.golden import Golden, read_golden, write_golden
from edgeau.errors import OutputError, UsageError
from edgeau_export.command import main
from edgeau_export.export import export_bundle


def changed(manifest, **fields):
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | fields))


def one_byte(place):
    file = place / "model.int8.tflite"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def shorter(place):
    file = place / "landmark_model.npz"
    file.write_bytes(file.read_bytes()[:-100])


def edited(place, change):
    manifest = json.loads((place / "manifest.json").read_text())
    change(manifest)
    (place / "manifest.json").write_text(json.dumps(manifest))


def without_a_threshold(manifest):
    for artifact in manifest["artifacts"]:
        del artifact["thresholds"]["AU12"]


def golden_answers(**changes):
    """Other golden answers, listed as they are."""

    def change(place):
        golden = read_golden(place / "golden.npz")
        crops = changes.get("crops", lambda crops: crops)(golden.crops)
        answers = {
            name: replace(
                answer,
                logits=changes.get("logits", lambda logits: logits)(answer.logits)[: len(crops)],
                decisions=answer.decisions[: len(crops), : changes.get("labels")],
            )
            for name, answer in golden.answers.items()
        }
        write_golden(place / "golden.npz", Golden(crops, answers))

        def listed(manifest):
            record = next(record for record in manifest["files"] if record["file"] == "golden.npz")
            record |= asdict(record_of(place, "golden.npz"))

        edited(place, listed)

    return change


FAULTS = {
    "a changed byte": (
        one_byte,
        r"^model\.int8\.tflite has changed since it was made \(SHA-256\): the folder is damaged\.",
    ),
    "a cut file": (
        shorter,
        r"^landmark_model\.npz has \d+ bytes, not \d+: the folder is damaged\. Copy it again\.$",
    ),
    "a missing file": (
        lambda place: (place / "golden.npz").unlink(),
        r"^golden\.npz is missing: the web server answers 404\. Copy the whole folder again\.$",
    ),
    "no manifest": (lambda place: (place / "manifest.json").unlink(), r"^manifest\.json is missing: "),
    "no JSON": (lambda place: (place / "manifest.json").write_text("{"), r"^manifest\.json is not JSON, "),
    "something else's manifest": (
        lambda place: (place / "manifest.json").write_text('{"name": "App", "icons": []}'),
        r"^manifest\.json is not that of an edgeau bundle\.",
    ),
    "a newer bundle": (
        lambda place: changed(place / "manifest.json", schema_version=99),
        r"^The bundle has schema version 99, this page reads \d+\.",
    ),
    "a bundle for another board": (
        lambda place: changed(
            place / "manifest.json",
            artifacts=[
                {"file": "model.fp32.onnx", "runtime": "onnxruntime", "precision": "fp32", "thresholds": {}}
            ],
        ),
        r"^The bundle has no artifact for LiteRT, which runs in a browser; it has onnxruntime/fp32\.",
    ),
    "no landmark networks": (
        lambda place: changed(place / "manifest.json", landmarks=None),
        r"^The bundle brings no face landmark networks, ",
    ),
    "an unknown alignment": (
        lambda place: changed(place / "manifest.json", alignment={"method": "thin-plate"}),
        r'^This page has no alignment "thin-plate", ',
    ),
    "an alignment of another size": (
        lambda place: changed(
            place / "manifest.json", alignment={"method": "arcface-template", "size": 96, "border": 0}
        ),
        r"^The bundle's alignment gives 96 x 96 pixels and its network wants 144 x 144\.",
    ),
    "a threshold that is missing": (
        lambda place: edited(place, without_a_threshold),
        r'^manifest\.json: artifacts: thresholds of "model\.int8\.tflite" and the labels differ in AU12\. ',
    ),
    "a weight of the fusion that is missing": (
        lambda place: edited(place, lambda manifest: manifest["fusion"]["bias"].pop("AU12")),
        r"^manifest\.json: fusion: bias and the labels differ in AU12\. ",
    ),
    "a negative weight of the fusion": (
        lambda place: edited(place, lambda manifest: manifest["fusion"]["network"].update(AU12=-1)),
        r"^manifest\.json: fusion: network has a negative weight\. ",
    ),
    "a fusion without a landmark model": (
        lambda place: changed(place / "manifest.json", landmark_model=None),
        r"^manifest\.json: fusion: needs a landmark_model\. ",
    ),
    "a label that appears twice": (
        lambda place: edited(place, lambda manifest: manifest["labels"].append("AU12")),
        r"^manifest\.json: labels: one appears twice\. ",
    ),
    "unknown colours": (
        lambda place: edited(place, lambda manifest: manifest["input"].update(color="YUV")),
        r'^manifest\.json: input: color "YUV"; this page knows RGB, BGR, GRAY\. ',
    ),
    "colours of another number": (
        lambda place: edited(place, lambda manifest: manifest["input"].update(mean=[0.5])),
        r"^manifest\.json: input: mean is not 3 numbers, as RGB needs\. ",
    ),
    "no input": (
        lambda place: edited(place, lambda manifest: manifest.pop("input")),
        r"^manifest\.json: a field is missing or of another type\. ",
    ),
    "golden answers that no answer could differ from": (
        golden_answers(logits=lambda logits: logits * np.float32(np.nan)),
        r"^The golden answers for model\.int8\.tflite are not finite\. ",
    ),
    "golden answers of fewer labels": (
        golden_answers(logits=lambda logits: logits[:, :-1], labels=-1),
        r"^The golden answers for model\.int8\.tflite do not fit its labels and its input\. ",
    ),
    "no golden crop": (
        golden_answers(crops=lambda crops: crops[:0]),
        r"^The golden answers for model\.int8\.tflite do not fit its labels and its input\. ",
    ),
    "no runtime": (
        lambda place: shutil.rmtree(place / "litert"),
        r"^The WebAssembly runtime could not be loaded \(.*\)\. Copy the folder again, or load the page again\.$",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_or_foreign_bundle_is_one_sentence(fault, sites, serve, visit, tmp_path):
    harm, said = FAULTS[fault]
    shutil.copytree(sites["light"], tmp_path / "site")
    harm(tmp_path / "site")
    page = visit(serve(tmp_path / "site").url, service_workers="block")
    assert page.inner_text("#state") == "stopped"
    page.wait_for_selector(f"#problem:text-matches({json.dumps(said)})", timeout=1000)
    assert page.is_disabled("#camera")
    assert page.is_disabled("#clip")
    assert page.is_disabled("#choose")


def test_a_browser_without_simd_is_said(sites, serve, visit, launch):
    # V8 has vectors of WebAssembly only where the processor has SSE4.1.
    page = visit(serve(sites["light"]).url, in_browser=launch("--js-flags=--no-enable-sse4-1"))
    assert page.inner_text("#state") == "stopped"
    assert page.inner_text("#problem").startswith(
        "This browser has no WebAssembly SIMD, which the networks need."
    )


def test_what_is_no_picture_or_film_is_said(sites, serve, visit, tmp_path):
    page = visit(serve(sites["light"]).url)
    for name, said in (
        ("notes.jpg", "This browser cannot open notes.jpg as a picture. Choose a JPEG, PNG or WebP file."),
        ("notes.mp4", "This browser cannot play notes.mp4 as a video. Choose an MP4 or WebM file."),
    ):
        (tmp_path / name).write_text("no pixels")
        page.set_input_files("#file", tmp_path / name)
        page.wait_for_selector(f"#problem:text-is('{said}')", timeout=20_000)
        assert page.inner_text("#state") == "ready"


def test_an_export_without_landmark_networks_is_refused(tmp_path, capsys):
    out = tmp_path / "site"
    assert main(["--target", "web", "--model", "light", "--landmarks", "none", "--out", str(out)]) == 2
    assert "a web page needs face landmark networks" in capsys.readouterr().err
    assert not out.exists()


def test_a_network_that_sees_whole_pictures_is_refused(tmp_path):
    from edgeau.faces.alignment import WholePicture
    from edgeau_export.web.site import check_site

    with pytest.raises(UsageError, match='alignment "none"'):
        check_site(object(), WholePicture())


def test_an_export_over_a_site_replaces_it_and_over_something_else_does_not(sites, tmp_path):
    place = tmp_path / "site"
    shutil.copytree(sites["light"], place)
    stray = place / "own.txt"
    stray.write_text("of the user")
    with pytest.raises(OutputError, match=r"holds own\.txt, which would be lost"):
        export_bundle("web", place, "light")
    assert stray.read_text() == "of the user"
    stray.unlink()
    export_bundle("web", place, "light")
    assert (place / "index.html").is_file()
