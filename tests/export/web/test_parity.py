"""The page's modules against Python, on the same pixels.

On x86-64 landmarks are the same to the bit: the networks' float kernels multiply and add in one rounding on both sides, and
the modules round where numpy does. That is what lets an INT8 network give the same probabilities: a crop that differs in one level of
one pixel moves them by some hundredths.
"""

import json
import shutil
from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest

from edgeau import Pipeline, open_source
from edgeau.bundle.files import record_of
from edgeau.bundle.golden import read_golden, write_golden
from edgeau.faces.landmarks.mediapipe_models import DETECTOR, PLAIN_MESH, installed_models
from edgeau.sources.picture_file import read_picture
from edgeau_export.export import export_bundle

EYES = (33, 263)


def differences(answer, results):
    """Largest difference of probabilities, number of other decisions and reasons, and of points in shares of the eye distance."""
    likely, others, points = 0.0, [], 0.0
    for index, (said, result) in enumerate(zip(answer["results"], results, strict=True)):
        assert len(said["faces"]) == len(result.faces), index
        for face, expected in zip(said["faces"], result.faces, strict=True):
            found = np.array(face["points"]).reshape(-1, 3)
            eyes = np.linalg.norm(np.subtract(*expected.landmarks[list(EYES), :2]))
            points = max(points, np.abs(found - expected.landmarks)[:, :2].max() / eyes)
            assert face.get("trackId") == expected.track_id
            assert list(face["aus"]) == list(expected.aus)
            for label, unit in expected.aus.items():
                one = face["aus"][label]
                if (one["active"], one["reason"]) != (unit.active, unit.reason):
                    others.append((index, label, one, unit))
                for mine, theirs in (
                    (one["probability"], unit.probability),
                    (one["left"], unit.left),
                    (one["right"], unit.right),
                ):
                    assert (mine is None) == (theirs is None)
                    likely = max(likely, 0 if mine is None else abs(mine - theirs))
    return likely, others, points


def check(answer, results):
    likely, others, points = differences(answer, results)
    assert not others
    assert likely < 1e-3
    assert points < 1e-3


@pytest.mark.parametrize("model", ["default", pytest.param("light", marks=pytest.mark.slow)])
def test_a_portrait(model, sites, serve, visit, analyse_in_browser, root):
    picture = read_picture(root / "docs" / "portrait.jpg")
    server = serve(sites[model])
    answer = analyse_in_browser(visit(server.url), server, [picture])
    with Pipeline.load(sites[model]) as pipeline:
        check(answer, [pipeline.process(picture)])


ALIGNMENTS = {
    "arcface": {"method": "arcface-template", "size": 224, "border": 0},
    "five points": {
        "method": "five-points",
        "points": [[73.5, 92.3], [147.1, 92.0], [112.0, 128.0], [83.1, 164.7], [141.5, 164.5]],
        "height": 224,
        "width": 224,
        "border": 128,
    },
    "box": {"method": "box", "margin": 0.1, "height": 224, "width": 224, "border": 128},
}


def blue_first(place):
    """Let a bundle's network want blue first; its golden crops are changed so that it gets what it got."""
    golden = read_golden(place / "golden.npz")
    write_golden(place / "golden.npz", replace(golden, crops=golden.crops[..., ::-1]))
    manifest = json.loads((place / "manifest.json").read_text())
    manifest["input"]["color"] = "BGR"
    record = next(record for record in manifest["files"] if record["file"] == "golden.npz")
    record |= asdict(record_of(place, "golden.npz"))
    return manifest


@pytest.mark.parametrize(
    "alignment", ["five points", *(pytest.param(a, marks=pytest.mark.slow) for a in ("arcface", "box"))]
)
def test_alignments_of_other_networks(alignment, site, serve, visit, analyse_in_browser, root, tmp_path):
    """Also a network that wants blue first: the numbers mean nothing, and are the same."""
    place = tmp_path / "site"
    shutil.copytree(site, place)
    manifest = blue_first(place)
    manifest["alignment"] = ALIGNMENTS[alignment]
    (place / "manifest.json").write_text(json.dumps(manifest))
    picture = read_picture(root / "docs" / "portrait.jpg")
    server = serve(place)
    answer = analyse_in_browser(visit(server.url, service_workers="block"), server, [picture])
    with Pipeline.load(place) as pipeline:
        check(answer, [pipeline.process(picture)])


def probabilities(place):
    """Let a bundle's network answer with probabilities; its golden answers become their logits."""
    golden, manifest = read_golden(place / "golden.npz"), json.loads((place / "manifest.json").read_text())
    answers = {}
    for artifact in manifest["artifacts"]:
        inside = np.clip(golden.answers[artifact["file"]].logits.astype(np.float64), 1e-7, 1 - 1e-7)
        thresholds = np.array([artifact["thresholds"][label] for label in manifest["labels"]])
        logits = np.log(inside / (1 - inside)).astype(np.float32)
        answers[artifact["file"]] = replace(
            golden.answers[artifact["file"]], logits=logits, decisions=inside >= thresholds
        )
        artifact["answers"] = "probabilities"
    write_golden(place / "golden.npz", replace(golden, answers=answers))
    record = next(record for record in manifest["files"] if record["file"] == "golden.npz")
    record |= asdict(record_of(place, "golden.npz"))
    return manifest


def test_a_network_that_answers_with_probabilities(site, serve, visit, analyse_in_browser, root, tmp_path):
    """The numbers mean nothing, and are the same."""
    place = tmp_path / "site"
    shutil.copytree(site, place)
    (place / "manifest.json").write_text(json.dumps(probabilities(place)))
    picture = read_picture(root / "docs" / "portrait.jpg")
    server = serve(place)
    answer = analyse_in_browser(visit(server.url, service_workers="block"), server, [picture])
    with Pipeline.load(place) as pipeline:
        check(answer, [pipeline.process(picture)])


def networks_of_the_task(root):
    file = root.parent / "shared" / "data" / "face_landmarker.task"
    if not file.is_file():
        pytest.skip("needs face_landmarker.task in ../shared/data")
    return file


def networks_without_refinement(root, tmp_path):
    installed = installed_models()
    if installed is None:
        pytest.skip("no mediapipe with networks inside is installed")
    folder = tmp_path / "plain"
    folder.mkdir()
    for name in (DETECTOR, PLAIN_MESH):
        shutil.copy(installed / name, folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["task", "plain"])
def test_other_landmark_networks(kind, serve, visit, analyse_in_browser, root, tmp_path):
    networks = networks_of_the_task(root) if kind == "task" else networks_without_refinement(root, tmp_path)
    place = tmp_path / "site"
    export_bundle("web", place, "light", landmarks=networks)
    picture = read_picture(root / "docs" / "portrait.jpg")
    server = serve(place)
    answer = analyse_in_browser(visit(server.url), server, [picture])
    with Pipeline.load(place) as pipeline:
        result = pipeline.process(picture)
    assert len(result.faces[0].landmarks) == {"task": 478, "plain": 468}[kind]
    check(answer, [result])


def frames_of_the_clip(every):
    with open_source("clip") as source:
        return list(source)[::every]


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_the_packaged_clip(every, site, serve, visit, analyse_in_browser):
    frames = frames_of_the_clip(every)
    server = serve(site)
    times = [frame.time_s for frame in frames]
    answer = analyse_in_browser(visit(server.url), server, [frame.image for frame in frames], times)
    with Pipeline.load(site, max_faces=4, far=False) as pipeline:
        check(answer, [pipeline.track(frame.image, time_s=frame.time_s) for frame in frames])


@pytest.mark.slow
def test_hard_pictures(site, serve, visit, analyse_in_browser, root):
    """Turned, tiny, dark, half outside, several, none: what is searched and refused, and why."""
    portrait = read_picture(root / "docs" / "portrait.jpg")
    small = cv2.resize(portrait, (150, 150), interpolation=cv2.INTER_AREA)
    crowd = np.full((720, 960, 3), 60, np.uint8)
    crowd[40:552, 20:532] = portrait
    crowd[400:550, 700:850] = small
    pictures = {
        "turned": np.ascontiguousarray(np.rot90(crowd)),
        "upside down": np.ascontiguousarray(crowd[::-1, ::-1]),
        "crowd": crowd,
        "dark": (crowd * 0.06).astype(np.uint8),
        "blurred": cv2.GaussianBlur(crowd, (0, 0), 9),
        "half outside": np.ascontiguousarray(np.pad(portrait[:, 195:], ((0, 208), (0, 643), (0, 0)))),
        "nothing": np.random.default_rng(0).integers(0, 256, crowd.shape, np.uint8),
    }
    server = serve(site)
    page = visit(server.url)
    with Pipeline.load(site) as pipeline:
        for name, picture in pictures.items():
            result = pipeline.process(picture)
            assert len(result.faces) == {"crowd": 2, "nothing": 0}.get(name, len(result.faces)), name
            check(analyse_in_browser(page, server, [picture]), [result])
