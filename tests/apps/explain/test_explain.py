"""Where a network reads each AU: on a real face, by hiding places and by gradients."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau import Pipeline
from edgeau.faces.alignment import Alignment
from edgeau.sources.clip import clip_path
from edgeau_apps.analyze.inputs import Input
from edgeau_apps.explain.command import main
from edgeau_apps.explain.evidence import CheckpointEvidence, occlusion_maps, overlay
from edgeau_apps.explain.finding import crops_of
from edgeau_apps.explain.regions import region_mask, region_name
from tests.report_pages import VIEWS, look_at


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = pytest.importorskip("skimage.data")
    path = tmp_path_factory.mktemp("portrait") / "face.png"
    cv2.imwrite(str(path), data.astronaut()[:, :, ::-1])
    return path


@pytest.fixture(scope="module")
def explained(portrait: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("explained")

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main(["default", str(portrait), "--out", str(out), "--artifact", "fp32", "--json"]) == 0
    return out, json.loads(printed.getvalue())


@pytest.mark.parametrize(
    ("label", "at_least"), [("AU12", 1.5), ("AU25", 2.5), ("AU4", 1.8), ("AU43", 2.0), ("AU26", 1.8)]
)
def test_the_default_reads_where_the_unit_shows(
    explained: tuple[Path, dict], label: str, at_least: float
) -> None:
    """Share of the map inside the unit's region, against that of an even map."""
    (row,) = [row for row in explained[1]["rows"] if row["label"] == label]
    assert row["share_inside"] > at_least * row["area_of_region"]


def test_each_unit_has_its_picture_and_the_page_shows_all(explained: tuple[Path, dict]) -> None:
    out, document = explained
    page = (out / "index.html").read_text()
    for row in document["rows"]:
        assert cv2.imread(str(out / row["file"])).shape == (320, 320, 3)
        assert f"where {row['label']} is read in" in page
    assert not re.search(r"https?:", page)


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_the_page_fits_and_axe_finds_no_violation(
    explained: tuple[Path, dict], width: int, scheme: str
) -> None:
    page = explained[0] / "index.html"
    seen = look_at(page, width, scheme)
    assert seen.width == width
    assert seen.said == []
    assert not seen.violations, seen.violations


def test_what_the_answer_hangs_on_is_found() -> None:
    crop = np.full((112, 112, 3), 90, np.uint8)
    crop[20:36, 70:86] = 250

    def brightest(one: np.ndarray) -> np.ndarray:
        return np.array([one[20:36, 70:86].mean(), 5.0], np.float32)

    whole, maps = occlusion_maps(brightest, crop)
    assert whole.tolist() == [250.0, 5.0]
    row, column = np.unravel_index(maps[0].argmax(), maps[0].shape)
    assert abs((row + 0.5) * 8 - 28) <= 8
    assert abs((column + 0.5) * 8 - 78) <= 8
    assert not maps[1].any()


def test_a_checkpoint_is_asked_for_its_gradients(root: Path, portrait: Path, tmp_path: Path, capsys) -> None:
    checkpoint = root / "weights" / "light.fp16.safetensors"
    arguments = [str(checkpoint), str(portrait), "--out", str(tmp_path), "--aus", "AU25,AU43", "--json"]
    assert main(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["method"] == "gradient"
    assert [row["label"] for row in document["rows"]] == ["AU25", "AU43"]
    for row in document["rows"]:
        assert row["share_inside"] > 1.3 * row["area_of_region"]


def test_gradients_are_those_of_the_pixels(root: Path) -> None:
    """The map is large where a change of the pixels changes the answer, and zero where nothing is read."""
    source = CheckpointEvidence(root / "weights" / "light.fp16.safetensors")
    crop = np.full((*source.alignment.shape, 3), 120, np.uint8)
    evidence = source.explain(crop)
    assert evidence.maps.shape == (len(source.labels), *source.alignment.shape)
    assert np.isfinite(evidence.maps).all()
    assert (evidence.maps >= 0).all()
    assert evidence.probabilities.shape == (len(source.labels),)


def test_a_film_shows_each_unit_where_it_is_strongest(tmp_path: Path, capsys) -> None:
    assert main(["light", "clip", "--out", str(tmp_path), "--aus", "AU12,AU43", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["label"] for row in rows} == {"AU12", "AU43"}
    assert rows[0]["face"] != rows[1]["face"]
    assert all(row["probability"] > 0.6 for row in rows)


def test_a_film_is_another_stream_than_the_one_before_it() -> None:
    """Tracks and smoothed values of the first film are nothing of the second one's."""
    clip = Input("clip", clip_path(), "video", "clip")
    with Pipeline.load(max_faces=1) as pipeline:
        once, again = (
            [(one.stem, one.labels) for one in crops_of(clip, pipeline, Alignment())] for _ in range(2)
        )
    assert once == again


def test_regions_lie_where_the_face_has_them() -> None:
    points = np.random.default_rng(0).uniform(20, 200, (468, 2))
    for label in ("AU1", "AU4", "AU6", "AU9", "AU10", "AU12", "AU14L", "AU17", "AU26", "AU43"):
        mask = region_mask(label, points, (224, 224))
        assert mask is not None
        assert 0 < mask.mean() < 1
        assert region_name(label)
    assert region_mask("smile", points, (224, 224)) is None
    assert region_mask("AU51", points, (224, 224)) is None


def test_warm_is_for_and_cold_against() -> None:
    crop = np.full((224, 224, 3), 128, np.uint8)
    values = np.zeros((14, 14), np.float32)
    values[3, 3], values[10, 10] = 1, -1
    drawn = overlay(crop, values, None).astype(int)
    warm, cold = drawn[80, 80], drawn[240, 240]
    assert warm[2] - warm[0] > 80
    assert cold[0] - cold[2] > 80


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["default", "none.png"], "none.png"),
        (["nothing-here", "{portrait}"], "nothing-here"),
        (["default", "{portrait}", "--aus", "AU99"], "the model has no AU99"),
        (["{checkpoint}", "{portrait}", "--artifact", "int8"], "a checkpoint has none"),
        (["light", "{empty}"], "no face"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    root: Path, portrait: Path, tmp_path: Path, capsys, arguments: list[str], complaint: str
) -> None:
    empty = tmp_path / "empty.png"
    cv2.imwrite(str(empty), np.full((200, 200, 3), 127, np.uint8))
    places = {"portrait": portrait, "checkpoint": root / "weights" / "light.fp16.safetensors", "empty": empty}
    out = tmp_path / "out"
    filled = [part.format(**places) for part in arguments]
    assert main([*filled, "--out", str(out)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert complaint in " ".join(lines)
    assert not out.exists()


def test_one_bad_input_does_not_end_the_others(portrait: Path, tmp_path: Path, capsys) -> None:
    empty = tmp_path / "empty.png"
    cv2.imwrite(str(empty), np.full((200, 200, 3), 127, np.uint8))
    out = tmp_path / "out"
    assert main(["light", str(empty), str(portrait), "--out", str(out), "--aus", "AU12"]) == 1
    assert "no face" in capsys.readouterr().err
    assert (out / "face.AU12.png").exists()


def test_a_network_that_weighs_aus_against_one_another_shows_it(
    portrait: Path, tmp_path: Path, capsys
) -> None:
    from edgeau_training.checkpoint import make_seeded_checkpoint

    checkpoint = tmp_path / "ustc.safetensors"
    options = {"blocks": [1, 1, 1, 1], "size": 32, "lanets": 2, "neighbours": 2}
    make_seeded_checkpoint(checkpoint, "ustc-fixed", ("AU1", "AU4", "AU12"), **options)
    out = tmp_path / "out"
    assert main([str(checkpoint), str(portrait), "--out", str(out), "--json"]) == 0
    (inner,) = json.loads(capsys.readouterr().out)["inner"]
    assert [one["title"] for one in inner["pictures"]] == ["attention of the local region perception"]
    assert cv2.imread(str(out / inner["pictures"][0]["file"])).shape == (320, 320, 3)
    assert [one["title"] for one in inner["tables"]] == [
        "edges of the AU graph in this face",
        "shares of the branches",
    ]
    page = (out / "index.html").read_text()
    assert "On the way to the answers" in page
    assert "AUs that come together" not in page  # one face says nothing of that
