"""Pictures and films as people brought them, and made ones of the same kinds: the packaged default decides as on the upright ones."""

from __future__ import annotations

import csv
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau import Pipeline, open_source
from edgeau.errors import InputError
from edgeau_apps.analyze.command import main
from tests.edgeau.sources.films import ffmpeg, film_of

pytest.importorskip("ai_edge_litert")
pytest.importorskip("av")

LOSSLESS = ("-pix_fmt", "yuv444p", "-c:v", "libx264", "-qp", "0")


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    pytest.importorskip("mediapipe")
    with Pipeline.load(artifact="onnxruntime/int8", threads=1, max_faces=100) as one:
        yield one


@pytest.fixture
def cases(shared_data: Path) -> Path:
    return shared_data.parent / "cases" / "files"


@pytest.fixture(scope="module")
def clip() -> list[np.ndarray]:
    """A second of the packaged clip."""
    with open_source("clip") as source:
        return [frame.image for frame in itertools.islice(source, 60, 85)]


def decisions(pipeline: Pipeline, path: Path) -> list[dict[str, bool]]:
    """Of the only face in each frame."""
    found = []
    with open_source(path) as source:
        for result in pipeline.stream(source):
            (face,) = result.faces
            found.append({label: unit.active for label, unit in face.aus.items()})
    return found


def probabilities(pipeline: Pipeline, path: Path) -> list[dict[str, float]]:
    """Of the only face in each frame, before smoothing."""
    with open_source(path) as source:
        every = [face for result in pipeline.stream(source) for face in result.faces]
    return [{label: float(unit.raw_probability or 0) for label, unit in face.aus.items()} for face in every]


def share_that_differs(one: list[dict[str, bool]], other: list[dict[str, bool]]) -> float:
    assert len(one) == len(other) > 0
    pairs = [(a[label], b[label]) for a, b in zip(one, other, strict=True) for label in a]
    return sum(a != b for a, b in pairs) / len(pairs)


def test_a_phones_film_is_decided_as_upright(pipeline: Pipeline, cases: Path) -> None:
    turned, upright = (decisions(pipeline, cases / f"phone_{name}.mp4") for name in ("rot180", "upright"))
    assert len(turned) == 50
    assert share_that_differs(turned, upright) < 0.01


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_films_of_turned_phones_are_decided_as_upright(
    pipeline: Pipeline, tmp_path: Path, clip: list[np.ndarray], degrees: int, suffix: str
) -> None:
    upright = film_of(clip, tmp_path / "upright.mkv", *LOSSLESS)
    # What this ffmpeg calls rotate=90 is a film that is shown a quarter turn anticlockwise.
    stored = [np.ascontiguousarray(np.rot90(image, -degrees // 90)) for image in clip]
    plain = film_of(stored, tmp_path / f"plain{suffix}", *LOSSLESS)
    ffmpeg("-i", plain, "-c", "copy", "-metadata:s:v:0", f"rotate={degrees}", tmp_path / f"turned{suffix}")
    assert (
        share_that_differs(decisions(pipeline, tmp_path / f"turned{suffix}"), decisions(pipeline, upright))
        < 0.01
    )


def test_pal_is_decided_as_square_pixels(pipeline: Pipeline, tmp_path: Path, cases: Path) -> None:
    path = cases / "pal_wide_sar_64_45.mp4"
    square = tmp_path / "square.mkv"
    ffmpeg("-i", path, "-vf", "scale=640:480:flags=bicubic,setsar=1", "-c:v", "ffv1", square)
    assert share_that_differs(decisions(pipeline, path), decisions(pipeline, square)) < 0.01


@pytest.mark.parametrize(("aspect", "width"), [("4/3", 480), ("64/45", 450), ("1/2", 1280)])
def test_films_with_other_pixels_are_decided_as_with_square_ones(
    pipeline: Pipeline, tmp_path: Path, clip: list[np.ndarray], aspect: str, width: int
) -> None:
    square = film_of(clip, tmp_path / "square.mkv", *LOSSLESS)
    squeezed = film_of(
        clip, tmp_path / "a.mkv", "-vf", f"scale={width}:480:flags=area,setsar={aspect}", *LOSSLESS
    )
    assert share_that_differs(decisions(pipeline, squeezed), decisions(pipeline, square)) < 0.02


@pytest.mark.parametrize("how", ["interlaced-flag", "full-range", "bt601-tagged", "10-bit", "start-late"])
def test_films_with_other_colours_and_clocks_are_decided_alike(
    pipeline: Pipeline, tmp_path: Path, clip: list[np.ndarray], how: str
) -> None:
    plain = film_of(clip, tmp_path / "plain.mkv", *LOSSLESS)
    options = {
        "interlaced-flag": ("-vf", "setfield=tff", *LOSSLESS, "-flags", "+ildct+ilme", "-x264opts", "tff=1"),
        "full-range": ("-vf", "scale=out_range=pc,format=yuvj444p", "-color_range", "pc", *LOSSLESS[2:]),
        "bt601-tagged": (
            "-vf",
            "scale=out_color_matrix=smpte170m,format=yuv444p",
            "-colorspace",
            "smpte170m",
            *LOSSLESS[2:],
        ),
        "10-bit": ("-pix_fmt", "yuv420p10le", "-c:v", "ffv1"),
        "start-late": (*LOSSLESS, "-output_ts_offset", "2.5"),
    }
    other = film_of(clip, tmp_path / "other.mkv", *options[how])
    pairs = zip(probabilities(pipeline, other), probabilities(pipeline, plain), strict=True)
    assert max(abs(one[label] - two[label]) for one, two in pairs for label in two) < 0.1


def one_face(pipeline: Pipeline, path: Path) -> dict[str, float]:
    with open_source(path) as source:
        (frame,) = source
    (face,) = pipeline.process(frame.image).faces
    return {label: unit.probability for label, unit in face.aus.items() if unit.probability is not None}


def test_exif_of_webp_is_decided_as_turned(pipeline: Pipeline, cases: Path) -> None:
    tagged = one_face(pipeline, cases / "exif_orientation3.webp")
    right = one_face(pipeline, cases / "exif_orientation3_right.jpg")
    assert tagged["AU12"] > 0.9
    assert tagged == pytest.approx(right, abs=0.1)


@pytest.mark.parametrize("orientation", [3, 6, 8])
@pytest.mark.parametrize("name", ["a.webp", "a.png", "alpha.png", "a.tiff", "alpha.tiff", "a.jpg", "a.avif"])
def test_exif_of_every_format_is_decided_as_turned(
    pipeline: Pipeline, tmp_path: Path, astronaut: np.ndarray, name: str, orientation: int
) -> None:
    image = pytest.importorskip("PIL.Image")
    if Path(name).suffix not in image.registered_extensions():
        pytest.skip(f"this Pillow has no {Path(name).suffix}")
    turned = np.ascontiguousarray(np.rot90(astronaut, {3: 2, 6: 1, 8: 3}[orientation])[:, :, ::-1])
    tags = image.Exif()
    tags[0x112] = orientation
    picture = image.fromarray(turned).convert("RGBA" if name.startswith("alpha") else "RGB")
    quality = {} if name.endswith(("png", "tiff")) else {"quality": 95}
    picture.save(tmp_path / name, exif=tags, **quality)
    cv2.imwrite(str(tmp_path / "upright.png"), astronaut)
    right = one_face(pipeline, tmp_path / "upright.png")
    assert right["AU12"] > 0.9
    assert one_face(pipeline, tmp_path / name) == pytest.approx(right, abs=0.15)


@pytest.mark.parametrize("angle", [180, 120, 90, -60, 30])
def test_a_turned_portrait_is_read_right_or_refused(
    pipeline: Pipeline, astronaut: np.ndarray, angle: int
) -> None:
    height, width = astronaut.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 0.7)
    picture = np.asarray(
        cv2.warpAffine(astronaut, matrix, (width, height), borderValue=(90, 90, 90)), np.uint8
    )
    (face,) = pipeline.process(picture).faces
    smile = face.aus["AU12"]
    assert smile.active or smile.reason == "landmarks"
    assert smile.active, "read right is what it does today"


@pytest.mark.parametrize("name", ["trimmed_without_reencoding.mp4", "variable_rate.webm"])
def test_whole_films_are_done(tmp_path: Path, cases: Path, bundle: Path, name: str) -> None:
    assert main([str(cases / name), "--out", str(tmp_path), "--bundle", str(bundle), "--threads", "1"]) == 0


@pytest.mark.parametrize("how", ["late", "cut-mp4", "cut-mov", "cut-mkv", "variable", "fragments"])
def test_made_films_that_are_whole_are_done(
    tmp_path: Path, bundle: Path, clip: list[np.ndarray], how: str
) -> None:
    plain = film_of(
        clip * 2, tmp_path / "plain.mp4", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-g", "50", "-bf", "2"
    )
    path = tmp_path / ("a.mkv" if how in ("late", "cut-mkv") else "a.mov" if how == "cut-mov" else "a.mp4")
    options: dict[str, tuple[str | Path, ...]] = {
        "late": ("-itsoffset", "1.7", "-i", plain, "-c", "copy"),
        "variable": ("-i", plain, "-vf", "select='not(mod(n,3))+lt(n,9)'", "-vsync", "vfr"),
        "fragments": ("-i", plain, "-c", "copy", "-movflags", "+frag_keyframe+empty_moov"),
    }
    ffmpeg(*options.get(how, ("-ss", "0.72", "-i", plain, "-t", "0.6", "-c", "copy")), path)
    out = tmp_path / "out"
    assert main([str(path), "--out", str(out), "--bundle", str(bundle), "--threads", "1"]) == 0


def test_a_fragmented_film_that_was_cut_is_damage(
    tmp_path: Path, bundle: Path, clip: list[np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("-movflags", "+frag_keyframe+empty_moov", "-g", "5")
    path = film_of(clip * 2, tmp_path / "a.mp4", "-pix_fmt", "yuv420p", "-c:v", "libx264", *flags)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert main([str(path), "--out", str(tmp_path / "out"), "--bundle", str(bundle), "--threads", "1"]) == 1
    assert "damaged or cut short" in capsys.readouterr().err


def test_a_song_has_no_video(
    tmp_path: Path, cases: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="no video in it"):
        open_source(cases / "song.m4a")
    assert main([str(cases / "song.m4a"), "--out", str(tmp_path / "out"), "--bundle", str(bundle)]) == 2
    told = capsys.readouterr().err
    assert "no video in it: it is sound with a cover picture" in told
    assert not (tmp_path / "out").exists()


def test_a_folder_of_everything_is_read_or_named(
    tmp_path: Path, cases: Path, bundle: Path, astronaut: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("pi_heif")
    folder, out = tmp_path / "photos", tmp_path / "out"
    folder.mkdir()
    for name in ("IMG_0001.HEIC", "photo.jfif"):
        shutil.copy(cases / name, folder)
    face = image.fromarray(np.ascontiguousarray(astronaut[:, :, ::-1]))
    made = ["a.jpg", "b.gif", "c.tif", "d.webp"] + ["e.avif"] * (".avif" in image.registered_extensions())
    for name in made:
        face.save(folder / name)
    film_of([astronaut] * 3, folder / "f.m2ts", "-pix_fmt", "yuv420p", "-c:v", "libx264")
    for name in ("f.raw", "notes.txt", "raw.cr2", "song.m4a"):
        (folder / name).write_bytes(b"something else")
    assert main([str(folder), "--out", str(out), "--bundle", str(bundle), "--threads", "1"]) == 0
    tables = {path.stem for path in out.glob("*.csv")}
    assert tables == {"IMG_0001", "photo", "f", *(Path(name).stem for name in made)}
    told = capsys.readouterr().err
    assert "left out 4 files" in told
    assert all(name in told for name in ("f.raw", "notes.txt", "raw.cr2", "song.m4a"))


def pasted(
    clip: list[np.ndarray], pipeline: Pipeline, size: tuple[int, int], width: float, count: int
) -> np.ndarray:
    """Faces of a width in pixels, in rows, on grey."""
    canvas = np.full((size[1], size[0], 3), 90, np.uint8)
    (face,) = pipeline.process(clip[0]).faces
    factor = width / face.box.width
    left, top = int(face.box.left - 0.4 * face.box.width), int(face.box.top - 0.4 * face.box.height)
    head = clip[0][
        max(top, 0) : top + int(1.8 * face.box.height), max(left, 0) : left + int(1.8 * face.box.width)
    ]
    head = cv2.resize(head, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    columns = size[0] // (head.shape[1] + 4)
    for place in range(count):
        y, x = 4 + place // columns * (head.shape[0] + 4), 4 + place % columns * (head.shape[1] + 4)
        canvas[y : y + head.shape[0], x : x + head.shape[1]] = head
    return canvas


@pytest.mark.parametrize(
    ("size", "width", "count"),
    [
        ((1920, 1080), 120, 8),
        ((640, 480), 57, 1),
        ((1920, 1080), 60, 50),
        ((1280, 720), 40, 20),
        ((3840, 2160), 110, 30),
        ((1080, 1920), 55, 12),
        ((640, 480), 20, 6),
    ],
)
def test_small_faces_are_found(
    pipeline: Pipeline, clip: list[np.ndarray], size: tuple[int, int], width: float, count: int
) -> None:
    picture = pasted(clip, pipeline, size, width, count)
    assert len(pipeline.process(picture).faces) >= 0.95 * count


def test_no_face_says_what_could_have_been_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((1080, 1920, 3), 120, np.uint8))
    arguments = ["--out", str(tmp_path / "out"), "--artifact", "onnxruntime/int8", "--threads", "1"]
    assert main([str(tmp_path / "wall.png"), *arguments]) == 0
    assert "no face (from 48 pixels of width on one would have been found)" in capsys.readouterr().out


def test_a_number_of_faces_that_cuts_a_group_is_told(
    tmp_path: Path, pipeline: Pipeline, clip: list[np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "group.png"), pasted(clip, pipeline, (1280, 720), 100, 6))
    for number, says in (
        (3, "3 faces (no more than 3 at a time were looked for: --max-faces)"),
        (100, "6 faces -> "),
    ):
        arguments = ["--out", str(tmp_path / str(number)), "--artifact", "onnxruntime/int8", "--threads", "1"]
        assert main([str(tmp_path / "group.png"), *arguments, "--max-faces", str(number)]) == 0
        assert says in capsys.readouterr().out


@pytest.mark.parametrize("name", [b"f\xe4ce.png", b"\xff\xfe.png", b"x" * 246 + b".png"])
def test_odd_names_are_done_and_the_run_goes_on(
    tmp_path: Path, bundle: Path, astronaut: np.ndarray, name: bytes
) -> None:
    content = cv2.imencode(".png", astronaut)[1].tobytes()
    folder = tmp_path / "in"
    folder.mkdir()
    for one in (name, b"plain.png"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + one)).write_bytes(content)
    assert main([str(folder), "--out", str(tmp_path / "out"), "--bundle", str(bundle), "--threads", "1"]) == 0
    tables = list((tmp_path / "out").glob("*.csv"))
    assert len(tables) == 2
    for table in tables:
        with table.open(encoding="utf-8", errors="surrogateescape") as stream:
            assert [row["success"] for row in csv.DictReader(stream)] == ["1"]


@pytest.mark.parametrize("landmarker", ["litert", "solutions"])
def test_a_decimal_comma_changes_nothing(
    tmp_path: Path, astronaut: np.ndarray, bundle: Path, landmarker: str
) -> None:
    if shutil.which("localedef") is None or not Path("/usr/share/i18n/locales/de_DE").exists():
        pytest.skip("localedef or the German locale's source is not installed")
    subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "UTF-8", str(tmp_path / "de_DE.UTF-8")],
        capture_output=True,
        check=False,
    )
    cv2.imwrite(str(tmp_path / "a.png"), astronaut)
    program = """
import locale, sys
locale.setlocale(locale.LC_ALL, "")
assert locale.localeconv()["decimal_point"] == ",", "the locale is not there"
from edgeau.faces.landmarks import open_landmarker
import cv2
with open_landmarker(kind=sys.argv[1], static=True) as landmarker:
    assert len(landmarker.detect(cv2.imread(sys.argv[2]))) == 1
from edgeau_apps.analyze.command import main
sys.exit(main([sys.argv[2], "--out", sys.argv[3], "--bundle", sys.argv[4], "--threads", "1"]))
"""
    environment = {**os.environ, "LOCPATH": str(tmp_path), "LC_ALL": "de_DE.UTF-8"}
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", program, landmarker, str(tmp_path / "a.png"), str(out), str(bundle)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with (out / "a.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert 0 < float(row["AU12_p"]) < 1
