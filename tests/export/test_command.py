from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from edgeau.action_units.names import BP4D
from edgeau.bundle import load_bundle
from edgeau_export.command import main
from edgeau_training.checkpoint import CheckpointInfo, load_checkpoint, save_checkpoint


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_table_on_stdout_and_notices_on_stderr(
    tmp_path: Path, checkpoint: Path, calib: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "b"
    code, printed, said = run(
        capsys, "--model", checkpoint, "--target", "jetson", "--calib", calib, "--out", out
    )
    assert code == 0
    assert "UNTRAINED" in printed
    assert "UNTRAINED" in said
    assert "20 face crops; 384 are wanted: 128 to calibrate, 256 others to measure INT8 on" in said
    for artifact in load_bundle(out).manifest.artifacts:
        assert artifact.file in printed
    assert "edgeau finish ." in printed
    assert printed.endswith(f"bundle: {out}\n")


def test_json_is_the_manifest_and_the_place_and_nothing_else(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "b"
    code, printed, _ = run(
        capsys, "--model", checkpoint, "--target", "cpu", "--out", out, "--precision", "fp32", "--json"
    )
    document = json.loads(printed)
    assert code == 0
    assert document.pop("path") == str(out)
    assert document == json.loads((out / "manifest.json").read_text())


def test_int8_is_left_out_aloud_where_there_is_nothing_to_calibrate_on(
    tmp_path: Path, checkpoint: Path, nothing_packaged: None, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "b"
    code, _, said = run(capsys, "--model", checkpoint, "--target", "cpu", "--out", out)
    assert code == 0
    assert "INT8 is left out" in said
    assert "pass --calib" in said
    assert "no face crops are at hand" in said
    assert {artifact.precision for artifact in load_bundle(out).manifest.artifacts} == {"fp32"}


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    assert "edgeau-export --model mrpnet.safetensors --target raspberrypi" in capsys.readouterr().out


def corrupt(source: Path, folder: Path) -> Path:
    file = folder / "corrupt.safetensors"
    file.write_bytes(source.read_bytes()[:-1000])
    return file


def pickled(source: Path, folder: Path) -> Path:
    file = folder / "weights.pt"
    file.write_bytes(pickle.dumps({"weights": print}))
    return file


def torch_zip(source: Path, folder: Path) -> Path:
    file = folder / "weights.pth"
    torch.save({"weights": torch.zeros(3)}, file)
    return file


def other_labels(source: Path, folder: Path) -> Path:
    network, info = load_checkpoint(source)
    values = {**info.__dict__, "labels": BP4D[:-2]}
    save_checkpoint(folder / "labels.safetensors", network, CheckpointInfo(**values))
    return folder / "labels.safetensors"


def absent(source: Path, folder: Path) -> Path:
    return folder / "absent.safetensors"


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (absent, "does not exist"),
        (corrupt, "truncated, damaged or of another kind"),
        (pickled, "describe it in a model.toml"),
        (torch_zip, "describe it in a model.toml"),
        (other_labels, "label count"),
    ],
)
def test_a_bad_checkpoint_is_one_clear_line(
    tmp_path: Path, checkpoint: Path, make, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    bad = make(checkpoint, folder)
    code, printed, said = run(capsys, "--model", bad, "--target", "cpu", "--out", tmp_path / "b")
    assert (code, printed) == (2, "")
    assert expected in said
    assert len(said.splitlines()) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--target", "toaster"), "known targets: android, cpu"),
        (("--target", "cpu", "--precision", "int4"), "target cpu has fp32, int8"),
        (("--target", "cpu", "--calib", "{empty}"), "nothing to calibrate on"),
        (("--target", "cpu", "--calib", "{empty}/absent"), "does not exist"),
        (("--target", "cpu", "--colour"), "unrecognized arguments"),
        ((), "--target"),
    ],
)
def test_a_bad_argument_is_one_clear_line(
    tmp_path: Path,
    checkpoint: Path,
    arguments: tuple[str, ...],
    expected: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    given = [argument.format(empty=empty) for argument in arguments]
    code, printed, said = run(capsys, "--model", checkpoint, "--out", tmp_path / "b", *given)
    assert (code, printed) == (2, "")
    assert expected in said.splitlines()[-1]
    assert [entry.name for entry in tmp_path.iterdir()] == ["empty"]


def test_int8_by_name_without_crops_says_what_to_pass(
    tmp_path: Path, checkpoint: Path, nothing_packaged: None, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, said = run(
        capsys, "--model", checkpoint, "--target", "cpu", "--out", tmp_path / "b", "--precision", "int8"
    )
    assert code == 2
    assert "pass --calib" in said
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_no_bundle_is_not_touched(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "photos"
    out.mkdir()
    (out / "holiday.jpg").write_bytes(b"precious")
    code, _, said = run(capsys, "--model", checkpoint, "--target", "cpu", "--out", out)
    assert code == 2
    assert "is not a bundle" in said
    assert [entry.name for entry in out.iterdir()] == ["holiday.jpg"]


def test_a_file_in_the_way_is_not_touched(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bundle"
    out.write_text("precious")
    code, _, said = run(capsys, "--model", checkpoint, "--target", "cpu", "--out", out)
    assert code == 2
    assert "is a file" in said
    assert out.read_text() == "precious"


def test_a_place_that_cannot_be_written_to_is_known_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    code, _, said = run(
        capsys, "--model", tmp_path / "never-opened", "--target", "cpu", "--out", tmp_path / "file" / "b"
    )
    assert code == 2
    assert "cannot write" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_clear_line(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    code, _, said = run(capsys, "--model", checkpoint, "--target", "cpu", "--out", folder / "b")
    folder.chmod(0o700)
    shutil.rmtree(folder)
    assert code == 2
    assert "cannot write" in said


FULL_DISK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
from edgeau_export.command import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(tmp_path: Path, checkpoint: Path) -> None:
    arguments = ["--model", str(checkpoint), "--target", "cpu", "--out", str(tmp_path / "b")]
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, *arguments, "--precision", "fp32"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "cannot be written: File too large; nothing was left" in done.stderr
    assert not list(tmp_path.iterdir())
