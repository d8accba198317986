from __future__ import annotations

from pathlib import Path

import pytest

from edgeau._system.named_object import named_object


def test_an_object_by_its_name() -> None:
    assert named_object("pathlib:Path") is Path


def test_what_is_not_there_is_an_import_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImportError, match="module pathlib has no 'Road'"):
        named_object("pathlib:Road")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        named_object("no_such_module:Path")


def test_a_fault_inside_the_module_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "faulty_at_import.py").write_text("import os\nos.no_such_thing\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AttributeError, match="no_such_thing"):
        named_object("faulty_at_import:anything")
