"""What the page cannot run is one clear sentence, and nothing else is shown."""

from __future__ import annotations

import json
import shutil

import pytest

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
        r"^The bundle's alignment gives 96 x 96 pixels and its network wants 160 x 160\.",
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
