"""edgeau-analyze from its command line: what it writes, what it says, how it ends."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.action_units.names import DEFAULT
from edgeau.annotation import palette
from edgeau_apps.analyze.command import main
from edgeau_apps.explain.command import main as explain


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def analyze(*words: str | Path) -> int:
    return main([str(word) for word in (*words, "--threads", "1")])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "out"


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.png"
    path.write_text("not a picture")
    return path


def cut(film: Path) -> Path:
    """The film without its last third."""
    path = film.with_name("cut.avi")
    data = film.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    return path


def test_a_picture_and_a_film_in_one_call(picture, film, bundle, out, capsys) -> None:
    assert analyze(picture, film, "--out", out, "--bundle", bundle) == 0
    assert names(out) == ["astronaut.csv", "astronaut.jsonl", "film.csv", "film.jsonl"]
    (row,) = rows(out / "astronaut.csv")
    assert (row["frame"], row["success"], row["confidence"]) == ("1", "1", "1")
    assert [name for name in row if name.endswith("_p")] == [f"AU{int(label[2:]):02d}_p" for label in DEFAULT]
    assert all(0 <= float(value) <= 1 for name, value in row.items() if name.endswith("_p"))
    film_rows = rows(out / "film.csv")
    assert [row["success"] for row in film_rows] == ["1"] * 6 + ["0"] * 6
    assert [row["timestamp"] for row in film_rows] == [f"{index / 20:.3f}" for index in range(12)]
    assert film_rows[-1]["AU12_p"] == ""
    lines = [json.loads(line) for line in (out / "film.jsonl").read_text().splitlines()]
    assert [line["index"] for line in lines] == list(range(12))
    assert [len(line["faces"]) for line in lines] == [1] * 6 + [0] * 6
    said = capsys.readouterr()
    assert "1 face" in said.out
    assert "12 frames, 6 with a face" in said.out
    assert said.err == ""


def test_pictures_on_several_cores_say_and_write_the_same(
    picture, bad, bundle, tmp_path, astronaut, capsys
) -> None:
    """In the order given, also where one cannot be read, and with a film between."""
    others = [tmp_path / f"other{number}.png" for number in range(4)]
    for number, other in enumerate(others):
        cv2.imwrite(str(other), np.roll(astronaut, 30 * number, axis=1))
    inputs = [bad, picture, *others[:2], "clip", others[2], tmp_path / "copy.png", others[3]]
    shutil.copy(bad, tmp_path / "copy.png")
    found = {}
    for cores in ("1", "3"):
        out = tmp_path / "out"
        assert analyze(*inputs, "--out", out, "--bundle", bundle, "--cores", cores, "--max-faces", "1") == 1
        found[cores] = {path.name: path.read_bytes() for path in out.iterdir()}, capsys.readouterr()
        shutil.rmtree(out)
    assert found["1"] == found["3"]
    files, said = found["3"]
    assert len(files) == 12
    stems = [line.split(":")[0].rsplit("/", 1)[-1] for line in said.out.splitlines()]
    assert stems == ["astronaut.png", "other0.png", "other1.png", "clip", "other2.png", "other3.png"]
    assert [name in line for name, line in zip(("bad.png", "copy.png"), said.err.splitlines(), strict=True)]


def test_csv_and_json_lines_say_the_same(picture, bundle, out) -> None:
    assert analyze(picture, "--out", out, "--bundle", bundle) == 0
    (row,) = rows(out / "astronaut.csv")
    (face,) = json.loads((out / "astronaut.jsonl").read_text())["faces"]
    for label, unit in face["aus"].items():
        column = f"AU{int(label[2:]):02d}"
        assert float(row[f"{column}_p"]) == pytest.approx(unit["probability"], abs=1e-4)
        assert row[f"{column}_c"] == str(int(unit["active"]))


def test_json_prints_one_document_and_nothing_else(picture, film, bad, bundle, out, capsys) -> None:
    assert analyze(picture, bad, film, "--out", out, "--bundle", bundle, "--json") == 1
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["network"] == {"name": "tiny", "title": "a tiny network for tests", "trained": True}
    assert document["labels"] == list(DEFAULT)
    assert document["artifact"] == {"file": "model.onnx", "precision": "fp32"}
    assert [item["status"] for item in document["inputs"]] == ["done", "failed", "done"]
    assert document["inputs"][0]["files"]["csv"] == str(out / "astronaut.csv")
    assert document["inputs"][2]["frames"] == 12
    assert document["inputs"][2]["frames_with_face"] == 6
    assert "bad.png" in document["inputs"][1]["error"]
    assert said.err.count("\n") == 1


def test_landmarks_and_pose_are_written_when_asked_for(picture, bundle, out) -> None:
    assert analyze(picture, "--out", out, "--bundle", bundle, "--landmarks", "68", "--pose") == 0
    (row,) = rows(out / "astronaut.csv")
    assert abs(float(row["pose_Rx"])) < 0.5, "the astronaut looks at the camera"
    assert abs(float(row["pose_Ry"])) < 0.5
    assert row["pose_Tz"] == ""
    assert 180 < float(row["x_30"]) < 250, "her nose"
    assert float(row["y_8"]) > float(row["y_57"]) > float(row["y_30"]), "chin below lip below nose"
    (line,) = (out / "astronaut.jsonl").read_text().splitlines()
    assert len(json.loads(line)["faces"][0]["landmarks"]) == 478


def test_annotated_pictures_and_films_are_written_when_asked_for(
    picture, film, bundle, out, astronaut
) -> None:
    jpeg = picture.with_name("photo.jpg")
    cv2.imwrite(str(jpeg), astronaut)
    assert analyze(picture, jpeg, film, "--out", out, "--bundle", bundle, "--annotate") == 0
    made = [name for name in names(out) if "annotated" in name]
    assert made == ["astronaut.annotated.png", "film.annotated.mp4", "photo.annotated.jpg"]
    drawn = cv2.imread(str(out / "astronaut.annotated.png"))
    assert drawn.shape[1] > astronaut.shape[1]
    assert (drawn[: astronaut.shape[0], :150] == astronaut[:, :150]).all(), "beside the face nothing is drawn"
    capture = cv2.VideoCapture(str(out / "film.annotated.mp4"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 12
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(20, rel=0.01)
    capture.release()


def test_an_untrained_network_is_said_everywhere(picture, untrained_bundle, out, capsys) -> None:
    assert analyze(picture, "--out", out, "--bundle", untrained_bundle, "--annotate", "--json") == 0
    said = capsys.readouterr()
    assert "UNTRAINED" in said.err
    assert json.loads(said.out)["network"]["trained"] is False
    assert json.loads((out / "astronaut.jsonl").read_text())["trained"] is False
    drawn = cv2.imread(str(out / "astronaut.annotated.png"))
    assert (drawn[1, 1] == palette.WARNING).all()


def test_experimental_units_are_hidden_unless_asked_for(picture, untrained_bundle, out) -> None:
    analyze(picture, "--out", out, "--bundle", untrained_bundle)
    assert "AU26_p" not in rows(out / "astronaut.csv")[0]
    analyze(picture, "--out", out, "--bundle", untrained_bundle, "--experimental")
    assert "AU26_p" in rows(out / "astronaut.csv")[0]


def test_a_folder_gives_a_pair_of_tables_a_picture_and_its_annotated_ones_are_not_analyzed_again(
    tmp_path, astronaut, bundle
) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(folder / name), astronaut)
    for _ in range(2):
        assert analyze(folder, "--out", folder, "--bundle", bundle, "--annotate") == 0
    assert [name for name in names(folder) if name.endswith(".csv")] == ["a.csv", "b.csv"]


def test_a_film_that_breaks_off_keeps_its_rows_and_is_named(film, bundle, out, capsys) -> None:
    assert analyze(cut(film), "--out", out, "--bundle", bundle, "--annotate") == 1
    count = len(rows(out / "cut.csv"))
    assert 3 <= count < 12
    assert len((out / "cut.jsonl").read_text().splitlines()) == count
    assert "cut.annotated.mp4" in names(out)
    said = capsys.readouterr()
    assert f"{count} of 12 frames" in said.err
    assert "cut.avi" in said.err


@pytest.mark.parametrize("good_first", [True, False])
def test_a_bad_picture_among_good_ones_is_named_and_the_others_are_done(
    picture, bad, bundle, out, capfd, good_first
) -> None:
    inputs = (picture, bad) if good_first else (bad, picture)
    assert analyze(*inputs, "--out", out, "--bundle", bundle) == 1
    assert names(out) == ["astronaut.csv", "astronaut.jsonl"]
    assert capfd.readouterr().err == (
        f"edgeau-analyze: {str(bad)!r} is not a picture that OpenCV can read, or it is damaged\n"
    )


def test_a_missing_file_among_good_ones_is_named_and_the_others_are_done(
    picture, bundle, out, capsys
) -> None:
    assert analyze(picture, "missing.png", "--out", out, "--bundle", bundle) == 1
    assert "'missing.png' does not exist" in capsys.readouterr().err
    assert names(out) == ["astronaut.csv", "astronaut.jsonl"]


def test_a_truncated_png_is_named_without_the_decoder_s_own_words(picture, bundle, out, capfd) -> None:
    picture.write_bytes(picture.read_bytes()[:20_000])
    assert analyze(picture, "--out", out, "--bundle", bundle) == 2
    assert capfd.readouterr().err.count("\n") == 1
    assert not out.parent.exists()


def test_what_was_there_stays_when_an_input_fails(bad, bundle, out) -> None:
    out.mkdir(parents=True)
    (out / "bad.csv").write_text("from before")
    assert analyze(bad, "--out", out, "--bundle", bundle) == 2
    assert names(out) == ["bad.csv"]
    assert (out / "bad.csv").read_text() == "from before"


def broken_bundle(bundle: Path, folder: Path, how: str) -> Path:
    if how == "missing":
        return folder / "none"
    copy = Path(shutil.copytree(bundle, folder / "copy"))
    if how == "a file is missing":
        (copy / "model.onnx").unlink()
    if how == "a byte is changed":
        data = bytearray((copy / "model.onnx").read_bytes())
        data[len(data) // 2] ^= 1
        (copy / "model.onnx").write_bytes(data)
    if how == "a newer schema":
        manifest = json.loads((copy / "manifest.json").read_text())
        (copy / "manifest.json").write_text(json.dumps({**manifest, "schema_version": 99}))
    return copy


@pytest.mark.parametrize("how", ["missing", "a file is missing", "a byte is changed", "a newer schema"])
def test_a_bundle_that_cannot_be_trusted_ends_before_anything_is_made(
    picture, bundle, out, tmp_path, capsys, how
) -> None:
    assert analyze(picture, "--out", out, "--bundle", broken_bundle(bundle, tmp_path, how)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("edgeau-analyze: ")
    assert said.err.count("\n") == 1
    assert not out.parent.exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["missing.png"], "'missing.png' does not exist"),
        (["*.nothing"], "holds no pictures or videos"),
        (["PICTURE", "--landmarks", "5"], "invalid choice: 5"),
        (["PICTURE", "--max-faces", "0"], "1 or more"),
        (["PICTURE", "--threads", "many"], "1 or more"),
        (["PICTURE", "--artifact", "abacus"], "no artifact for 'abacus'"),
        (["PICTURE", "--no-such-option"], "--help"),
        ([], "INPUT"),
    ],
)
def test_what_does_not_fit_gets_one_line_and_makes_nothing(words, says, picture, bundle, out, capsys) -> None:
    words = [str(picture) if word == "PICTURE" else word for word in words]
    assert main([*words, "--out", str(out), "--bundle", str(bundle)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert says in said.err
    assert said.err.count("\n") == 1
    assert not out.parent.exists()


def test_an_out_that_is_a_file_is_refused(picture, bundle, bad, capsys) -> None:
    assert analyze(picture, "--out", bad, "--bundle", bundle) == 2
    assert "give a folder" in capsys.readouterr().err
    assert bad.read_text() == "not a picture"


BLAMED = {
    "a table": (["table.csv"], "'table.csv' is neither a picture nor a video"),
    "a damaged picture": (["bad.png"], "bad.png"),
    "a damaged film": (["bad.mp4"], "'bad.mp4'"),
    "several": (["table.csv", "bad.png"], "bad.png"),
    "one that can be read": (["astronaut.png", "table.csv"], "face landmark networks"),
}


@pytest.mark.parametrize(("given", "says"), BLAMED.values(), ids=BLAMED)
def test_where_networks_are_missing_too_a_wrong_input_is_what_is_told(
    picture, tmp_path, monkeypatch, capsys, given, says
) -> None:
    for name in ("table.csv", "bad.png", "bad.mp4"):
        (tmp_path / name).write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEAU_LANDMARK_MODELS", str(tmp_path / "none.task"))
    for argv in (given, [*given, "--out", str(tmp_path / "out")]):
        assert main(argv) == 2
        error = capsys.readouterr().err
        assert says in error
        assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
    assert explain(["default", *given, "--out", str(tmp_path / "out")]) == 2
    assert says in capsys.readouterr().err


def test_grey_rgba_and_16_bit_pictures_are_analyzed(tmp_path, astronaut, bundle, out) -> None:
    variants = {
        "grey": cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY),
        "rgba": cv2.cvtColor(astronaut, cv2.COLOR_BGR2BGRA),
        "deep": astronaut.astype(np.uint16) * 257,
    }
    for name, image in variants.items():
        cv2.imwrite(str(tmp_path / f"{name}.png"), image)
    assert analyze(*(tmp_path / f"{name}.png" for name in variants), "--out", out, "--bundle", bundle) == 0
    for name in variants:
        assert [row["success"] for row in rows(out / f"{name}.csv")] == ["1"], name


def test_an_8k_picture_is_analyzed(tmp_path, astronaut, bundle, out) -> None:
    large = cv2.resize(astronaut, (7680, 4320), interpolation=cv2.INTER_LINEAR)
    cv2.imwrite(str(tmp_path / "large.jpg"), large)
    assert analyze(tmp_path / "large.jpg", "--out", out, "--bundle", bundle) == 0
    assert len(rows(out / "large.csv")) == 1


def test_the_real_video_has_472_rows_and_nearly_all_succeed(shared_data, bundle, out) -> None:
    video = shared_data / "real-face.mp4"
    assert analyze(video, "--out", out, "--bundle", bundle, "--max-faces", "1") == 0
    success = [row["success"] for row in rows(out / "real-face.csv")]
    assert len(success) == 472
    assert success.count("1") >= 465


def test_events_of_a_film_are_written_and_pair_up(picture, film, bundle, out) -> None:
    assert analyze(picture, film, "--out", out, "--bundle", bundle, "--events") == 0
    assert [name for name in names(out) if "events" in name] == ["film.events.csv"], "a picture has none"
    last = float(rows(out / "film.csv")[-1]["timestamp"])
    for row in rows(out / "film.events.csv"):
        assert 0 <= float(row["onset"]) <= float(row["offset"]) <= last
        assert float(row["duration"]) == pytest.approx(float(row["offset"]) - float(row["onset"]), abs=0.002)
        assert row["end"] in ("ended", "lost", "stopped")


def test_smoothing_changes_films_and_leaves_pictures(picture, film, bundle, out) -> None:
    for folder, options in ((out / "raw", []), (out / "smooth", ["--smooth"])):
        assert analyze(picture, film, "--out", folder, "--bundle", bundle, *options) == 0
    assert rows(out / "raw" / "astronaut.csv") == rows(out / "smooth" / "astronaut.csv")
    raw, smooth = rows(out / "raw" / "film.csv"), rows(out / "smooth" / "film.csv")
    assert raw[0] == smooth[0], "the first frame has no past"
    assert [row["success"] for row in raw] == [row["success"] for row in smooth]
