"""Tables say what they were made of, and --resume and --status compare that."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau_apps.analyze import identity
from edgeau_apps.analyze.command import main
from edgeau_apps.analyze.identity import made
from edgeau_apps.analyze.inputs import find_inputs
from edgeau_apps.analyze.resume import Tables, placed

PROGRAM = (sys.executable, "-c", "import sys; from edgeau_apps.analyze.command import main; sys.exit(main())")


def analyze(*words: str | Path) -> int:
    return main([str(word) for word in (*words, "--threads", "1")])


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def status(capsys: pytest.CaptureFixture[str], *words: str | Path) -> dict:
    capsys.readouterr()
    main([*map(str, words), "--status", "--json"])
    return json.loads(capsys.readouterr().out)


def test_tables_carry_their_input(film, bundle, tmp_path) -> None:
    out = tmp_path / "out"
    assert analyze(film, "--out", out, "--bundle", bundle, "--max-faces", 2) == 0
    first, *_, last = lines(out / "film.jsonl")
    source = first["source"]
    assert source["path"] == str(film.resolve())
    assert source["sha256"] == hashlib.sha256(film.read_bytes()).hexdigest()
    assert source["fps"] == pytest.approx(20)
    assert (source["kind"], source["bytes"]) == ("video", film.stat().st_size)
    assert source["options"]["max_faces"] == 2
    assert source["bundle_sha256"]
    assert source["artifact"]
    assert last["end"] == {"complete": True, "frames": 12, "error": None}
    assert "source" not in last
    with (out / "film.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["source"] for row in rows} == {str(film)}
    assert list(rows[0])[-1] == "source"


def test_only_what_is_whole_and_the_same_counts_as_done(film, picture, bundle, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    words = (film, picture, "--out", out, "--bundle", bundle)
    assert analyze(*words) == 0
    assert len(status(capsys, *words)["done"]) == 2
    assert status(capsys, *words, "--pose")["stale"] == [str(film), str(picture)], "other options"
    moved = film.with_name("elsewhere.avi")
    shutil.copy(film, moved)
    os.utime(film, (1, 1))
    assert len(status(capsys, *words)["done"]) == 2, "touched, but the same bytes"
    with film.open("ab") as stream:
        stream.write(b"x")
    assert status(capsys, *words)["stale"] == [str(film)], "other bytes"


def test_tables_of_other_landmark_networks_are_not_done(picture, bundle, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    words = (picture, "--out", out, "--bundle", bundle)
    assert analyze(*words) == 0
    assert status(capsys, *words)["left"] == []
    assert status(capsys, *words, "--landmarker-model", tmp_path / "other.task")["left"] == [str(picture)]


def test_a_broken_off_input_is_not_done(film, bundle, tmp_path, capsys) -> None:
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])
    out = tmp_path / "out"
    assert analyze(film, "--out", out, "--bundle", bundle) == 1
    end = lines(out / "film.jsonl")[-1]["end"]
    assert not end["complete"]
    assert "cut short" in end["error"]
    assert status(capsys, film, "--out", out, "--bundle", bundle)["stale"] == [str(film)]


def test_a_table_of_another_input_is_not_taken_for_it_nor_written_over(
    picture, bundle, tmp_path, capsys
) -> None:
    out = tmp_path / "out"
    inputs = []
    for number, folder in enumerate(("s1", "s2")):
        (tmp_path / folder).mkdir()
        inputs.append(tmp_path / folder / "interview.png")
        cv2.imwrite(str(inputs[-1]), np.roll(cv2.imread(str(picture)), number, axis=1))
    for given in inputs:
        assert analyze(given, "--out", out, "--bundle", bundle, "--resume") == 0
    first, second = (made(out / name) for name in ("interview.jsonl", "s2/interview.jsonl"))
    assert first is not None
    assert second is not None
    assert [one.source["path"] for one in (first, second)] == [str(one.resolve()) for one in inputs]
    for given in inputs:
        assert status(capsys, given, "--out", out, "--bundle", bundle)["left"] == []


def test_a_table_without_a_source_is_not_done(picture, bundle, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for content in ("", "{}\n", "not json\n", '{"index":0}\n', "[1]\n"):
        (out / "astronaut.jsonl").write_text(content)
        assert status(capsys, picture, "--out", out, "--bundle", bundle)["stale"] == [str(picture)]


def test_pictures_are_one_film(film, bundle, tmp_path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    capture = cv2.VideoCapture(str(film))
    for number in range(6):
        cv2.imwrite(str(frames / f"{number}.png"), capture.read()[1])
    out = tmp_path / "out"
    assert analyze(frames, "--sequence", "--fps", 10, "--out", out, "--bundle", bundle) == 0
    found = lines(out / "frames.jsonl")
    assert [line["time_s"] for line in found] == pytest.approx([number / 10 for number in range(6)])
    assert {face["face_id"] for line in found for face in line["faces"]} == {0}
    assert found[0]["source"]["kind"] == "video"


def test_fps_without_a_sequence_is_refused(picture, tmp_path, capsys) -> None:
    assert analyze(picture, "--fps", 10, "--out", tmp_path / "out") == 2
    assert "--sequence" in capsys.readouterr().err


def test_no_face_says_what_could_have_been_found(bundle, tmp_path, capsys) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((400, 800, 3), 90, np.uint8))
    assert analyze(tmp_path / "wall.png", "--out", tmp_path / "out", "--bundle", bundle) == 0
    assert "no face (from 20 pixels of width on one would have been found)" in capsys.readouterr().out


def test_what_a_folder_leaves_out_is_said(picture, bundle, tmp_path, capsys) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copy(picture, folder / "a.png")
    for name in ("b.xyz", "notes.txt"):
        (folder / name).write_text("x")
    assert analyze(folder, "--out", tmp_path / "out", "--bundle", bundle) == 0
    assert "left out 2 files" in capsys.readouterr().err


def test_one_bad_name_or_place_does_not_end_the_run(picture, bundle, tmp_path, capsys) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in (b"f\xe4ce.png", b"z" * 246 + b".png", b"good.png"):
        shutil.copy(picture, os.fsencode(folder) + b"/" + name)
    (folder / "broken.heic").write_bytes(b"\0\0\0\x18ftypheic")
    out = tmp_path / "out"
    out.mkdir()
    (out / "good.csv").mkdir()  # something in the way of one table
    assert analyze(folder, "--out", out, "--bundle", bundle) == 1
    assert len([path for path in out.iterdir() if path.suffix == ".jsonl"]) >= 2
    assert capsys.readouterr().err.count("edgeau-analyze:") >= 2


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_the_console_does_not_have_to_know_every_letter(picture, bundle, tmp_path, encoding) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copy(picture, folder / "顔.png")
    shutil.copy(picture, os.fsencode(folder) + b"/f\xe4ce.png")
    done = subprocess.run(
        [*PROGRAM, folder, "--out", tmp_path / "out", "--bundle", bundle, "--threads", "1"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout.count(b"1 face") == 2


def test_all_is_done_though_the_reader_of_the_lines_goes_away(picture, bundle, tmp_path) -> None:
    for number in range(4):
        shutil.copy(picture, tmp_path / f"{number}.png")
    out = tmp_path / "out"
    inputs = [tmp_path / f"{number}.png" for number in range(4)]
    command = [*PROGRAM, *inputs, "--out", out, "--bundle", bundle, "--threads", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(120) == 0
    assert len(list(out.glob("*.jsonl"))) == 4


def test_an_annotated_film_plays_in_a_browser_with_its_sound(film, bundle, tmp_path) -> None:
    av = pytest.importorskip("av")
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    given = tmp_path / "talk.mp4"
    subprocess.run(
        f"ffmpeg -v error -i {film} -f lavfi -i sine=d=0.6 -c:v mpeg4 -c:a aac -vf select=not(eq(n\\,3)) "
        f"-fps_mode vfr {given}".split(),
        check=True,
    )
    out = tmp_path / "out"
    assert analyze(given, "--annotate", "--out", out, "--bundle", bundle) == 0
    times = [line["time_s"] for line in lines(out / "talk.jsonl")]
    with av.open(str(out / "talk.annotated.mp4")) as written:
        video, (sound,) = written.streams.video[0], written.streams.audio
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert sound.codec_context.name == "aac"
        assert float(sound.duration * sound.time_base) == pytest.approx(0.6, abs=0.06)
        shown = [frame.time for frame in written.decode(video)]
    assert shown == pytest.approx(times, abs=0.002)


def test_a_full_disk_leaves_no_annotated_video_and_a_message(film, bundle, tmp_path) -> None:
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))\n"
        "from edgeau_apps.analyze.command import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", code, film, "--annotate", "--out", out, "--bundle", bundle, "--threads", "1"],
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists() or list(out.iterdir()) == []


def test_eye_closure_has_openface_s_number_too(picture, bundle, tmp_path) -> None:
    assert analyze(picture, "--out", tmp_path / "out", "--bundle", bundle, "--experimental") == 0
    with (tmp_path / "out" / "astronaut.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    if "AU43_c" in row:
        assert row["AU45_c"] == row["AU43_c"]


def test_a_film_of_pictures_is_its_pictures(film, bundle, tmp_path, capsys) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    capture = cv2.VideoCapture(str(film))
    for number in range(3):
        cv2.imwrite(str(frames / f"{number}.png"), capture.read()[1])
    words = (frames, "--sequence", "--out", tmp_path / "out", "--bundle", bundle)
    assert analyze(*words) == 0
    source = lines(tmp_path / "out" / "frames.jsonl")[0]["source"]
    assert source["bytes"] == sum(file.stat().st_size for file in frames.iterdir())
    os.utime(frames / "0.png", (1, 1))
    os.utime(frames)
    assert status(capsys, *words)["left"] == [], "touched, but the same pictures"
    (frames / "0.png").rename(frames / "7.png")
    assert status(capsys, *words)["left"] == [str(frames)], "another order"
    (frames / "7.png").rename(frames / "0.png")
    assert status(capsys, *words)["left"] == []
    shutil.copy(frames / "0.png", frames / "3.png")
    assert status(capsys, *words)["left"] == [str(frames)], "one more"


def test_other_bytes_of_the_same_length_are_seen_in_one_process(picture, bundle, tmp_path, capsys) -> None:
    words = (picture, "--out", tmp_path / "out", "--bundle", bundle)
    assert analyze(*words) == 0
    content = picture.read_bytes()
    os.utime(picture, (1, 1))
    assert status(capsys, *words)["left"] == []
    picture.write_bytes(content[:-1] + b"x")
    assert status(capsys, *words)["left"] == [str(picture)]


@pytest.mark.parametrize("name", ["film.csv", "film.events.csv", "film.annotated.mp4"])
def test_a_file_that_is_gone_is_made_again(film, bundle, tmp_path, capsys, name) -> None:
    pytest.importorskip("av")
    out = tmp_path / "out"
    words = (film, "--out", out, "--bundle", bundle, "--events", "--annotate")
    assert analyze(*words) == 0
    assert status(capsys, *words)["left"] == []
    (out / name).unlink()
    assert status(capsys, *words)["stale"] == [str(film)]
    assert analyze(*words, "--resume") == 0
    assert (out / name).is_file()


def test_the_table_that_resume_reads_gets_its_place_last(film, bundle, tmp_path, monkeypatch) -> None:
    pytest.importorskip("av")
    placed = []
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda self, to: placed.append(Path(to).name) or replace(self, to))
    out = tmp_path / "out"
    assert analyze(film, "--out", out, "--bundle", bundle, "--events", "--annotate") == 0
    of_film = [name for name in placed if name.startswith("film")]
    assert (of_film[-1], len(of_film)) == ("film.jsonl", 4)


def test_an_argument_that_names_nothing_is_neither_done_nor_everything(
    picture, bundle, tmp_path, capsys
) -> None:
    words = (picture, "missing.png", "--out", tmp_path / "out", "--bundle", bundle)
    assert analyze(*words) == 1
    assert analyze(*words, "--resume") == 1, "the other one is done"
    capsys.readouterr()
    assert main([*map(str, words), "--status"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("1 of 1 inputs are done")
    assert "'missing.png' does not exist" in said.err
    assert [one["input"] for one in status(capsys, *words)["refused"]] == ["missing.png"]


def test_a_table_of_another_input_is_kept_where_the_next_name_is_taken_too(tmp_path) -> None:
    """Of s1/talk and s1/s1/talk the second has the name that the first would get beside a table of another talk."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "talk.jsonl").write_text('{"source":{"path":"/elsewhere/talk.png"},"end":{"complete":true}}\n')
    for folder in ("s1", "s1/s1"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "talk.png").touch()
    found = find_inputs([str(tmp_path / "s1/talk.png"), str(tmp_path / "s1/s1/talk.png")]).inputs
    assert [one.stem for one in found] == ["talk", "s1/talk"]
    assert [one.stem for one in placed(found, Tables(out))] == ["s1/talk-2", "s1/talk"]


def test_an_input_whose_disk_fails_ends_no_run(picture, film, bundle, tmp_path, capsys, monkeypatch) -> None:
    def failing(path: Path) -> str:
        if path == picture:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return digest(path)

    digest = identity.file_digest
    monkeypatch.setattr(identity, "file_digest", failing)
    out = tmp_path / "out"
    assert analyze(picture, film, "--out", out, "--bundle", bundle) == 1
    assert f"{str(picture)!r} cannot be read: Input/output error" in capsys.readouterr().err
    assert [path.name for path in sorted(out.iterdir())] == ["film.csv", "film.jsonl"]
