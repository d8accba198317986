from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from edgeau.bundle import BundleWriter, load_bundle
from edgeau.bundle.manifest import Manifest
from edgeau.errors import BundleError, OutputError


def contents(path: Path) -> dict[str, bytes]:
    return {
        file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*") if file.is_file()
    }


def rewrite(source: Path, out: Path, target: str = "elsewhere") -> None:
    manifest = load_bundle(source).manifest
    with BundleWriter(out) as writer:
        for name, content in contents(source).items():
            (writer.directory / name).write_bytes(content)
        writer.finish(replace(manifest, target=target))


def test_what_is_written_is_what_is_read(bundle_path: Path) -> None:
    manifest = load_bundle(bundle_path).manifest
    assert Manifest.from_dict(manifest.to_dict()) == manifest
    assert [record.file for record in manifest.files] == ["golden.npz", "model.onnx"]


def test_a_bundle_is_replaced_and_nothing_else_is_left(bundle_path: Path) -> None:
    rewrite(bundle_path, bundle_path, "elsewhere")
    assert load_bundle(bundle_path).manifest.target == "elsewhere"
    assert [path.name for path in bundle_path.parent.iterdir()] == ["bundle"]


def test_an_empty_folder_and_missing_parents_are_fine(bundle_path: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for out in (tmp_path / "empty", tmp_path / "some" / "where"):
        rewrite(bundle_path, out)
        assert load_bundle(out).manifest.target == "elsewhere"


def test_a_folder_that_is_something_else_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").touch()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="not empty and is not a bundle"):
        BundleWriter(tmp_path / "photos")
    with pytest.raises(OutputError, match="is a file; a bundle is a folder"):
        BundleWriter(tmp_path / "file")


def test_a_manifest_of_something_else_is_no_bundle(tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.mkdir()
    (page / "thesis.txt").write_text("years of work")
    for text in ('{"name": "a browser extension", "manifest_version": 3}', "[]", "not JSON", '{"files": 1}'):
        (page / "manifest.json").write_text(text)
        with pytest.raises(OutputError, match="not empty and is not a bundle"):
            BundleWriter(page)
    assert (page / "thesis.txt").read_text() == "years of work"


def test_files_that_somebody_keeps_in_a_bundle_are_not_lost(bundle_path: Path) -> None:
    (bundle_path / ".DS_Store").touch()
    (bundle_path / "model.onnx").write_bytes(b"damaged")
    BundleWriter(bundle_path)
    for name in ("notes.txt", ".git/HEAD"):
        (bundle_path / name).parent.mkdir(exist_ok=True)
        (bundle_path / name).write_text("mine")
    with pytest.raises(OutputError, match=r"holds \.git/HEAD and 1 more, which would be lost"):
        BundleWriter(bundle_path)


def test_a_place_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match="cannot write a bundle"),
        BundleWriter(tmp_path / "file" / "bundle"),
    ):
        pass


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
@pytest.mark.parametrize("existing", [True, False])
def test_an_interrupt_leaves_everything_as_before(
    bundle_path: Path, tmp_path: Path, error: type[BaseException], existing: bool
) -> None:
    out = bundle_path if existing else tmp_path / "new"
    before = contents(tmp_path)

    def write_half() -> None:
        with BundleWriter(out) as writer:
            (writer.directory / "model.onnx").write_bytes(b"half")
            raise error

    with pytest.raises(error):
        write_half()
    assert contents(tmp_path) == before
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("failing", [1, 2])
def test_an_interrupt_while_moving_leaves_the_old_bundle(
    bundle_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    before = contents(bundle_path)
    calls = []
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == failing:
            raise KeyboardInterrupt
        return rename(self, target)

    # Where the system cannot exchange two folders in one step.
    monkeypatch.setattr("edgeau._system.atomic_folder._exchanged", lambda *_: False)
    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rewrite(bundle_path, bundle_path, "elsewhere")
    assert contents(bundle_path) == before
    assert [path.name for path in bundle_path.parent.iterdir()] == ["bundle"]


def test_a_manifest_that_contradicts_itself_is_not_written(bundle_path: Path, tmp_path: Path) -> None:
    manifest = load_bundle(bundle_path).manifest
    with pytest.raises(BundleError, match="used but not listed"), BundleWriter(tmp_path / "new") as writer:
        writer.finish(manifest)
    assert not (tmp_path / "new").exists()


def test_forgetting_to_finish_is_our_bug(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="finish"), BundleWriter(tmp_path / "new"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_bundle_can_be_read_by_whom_the_umask_lets(bundle_path: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    assert bundle_path.stat().st_mode & 0o777 == 0o777 & ~umask
