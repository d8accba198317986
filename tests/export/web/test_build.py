"""What is committed of the page is what its source gives."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest

BUILT = ("page/index.html", "page/page.css", "page/page.js", "page/sw.js", "page/worker.js", "litert.tar.xz")


def test_the_lock_file_names_versions_and_no_registry(root):
    locked = json.loads((root / "web" / "package-lock.json").read_text())["packages"]
    assert len(locked) > 3
    assert not [name for name, package in locked.items() if "resolved" in package]
    assert all("integrity" in package for name, package in locked.items() if name)


def test_the_page_loads_nothing_from_elsewhere(root):
    page = root / "export" / "edgeau_export" / "web" / "page"
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', (page / "index.html").read_text())
    assert "default-src 'none'" in (page / "index.html").read_text()


@pytest.mark.slow
def test_a_rebuild_gives_the_committed_files(root, tmp_path):
    if shutil.which("npm") is None:
        pytest.skip("no Node with npm is installed: what the page is built with cannot be fetched")
    shutil.copytree(root / "web", tmp_path / "web", ignore=shutil.ignore_patterns("node_modules"))
    fetched = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"],
        cwd=tmp_path / "web",
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode:
        pytest.skip(f"the packages of the page's build cannot be fetched: {fetched.stderr[-200:]}")
    subprocess.run([sys.executable, "build.py", "--out", tmp_path / "out"], cwd=tmp_path / "web", check=True)
    for name in BUILT:
        committed = (root / "export" / "edgeau_export" / "web" / name).read_bytes()
        assert (tmp_path / "out" / name).read_bytes() == committed, f"{name} is old: python web/build.py"
