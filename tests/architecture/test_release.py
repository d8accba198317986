"""What a release says of itself, and the workflow that makes one."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest


@pytest.fixture
def given(root: Path, monkeypatch):
    """What setup.py hands to setuptools for an address."""

    def ask(address: str) -> dict:
        monkeypatch.setenv("EDGEAU_REPOSITORY", address)
        kept: dict = {}
        monkeypatch.setattr("setuptools.setup", lambda **options: kept.update(options))
        runpy.run_path(str(root / "setup.py"))
        return kept

    return ask


def test_with_an_address_every_link_is_absolute(given) -> None:
    kept = given("https://host.example/owner/name/")
    links = re.findall(r"\]\(([^)\s]+)\)", kept["long_description"])
    assert len(links) > 20
    assert all(link.startswith("https://") for link in links)
    assert (
        "![The page: a rendered face with its action units](https://host.example/owner/name/raw/HEAD/docs/webcam.png)"
        in kept["long_description"]
    )
    assert kept["project_urls"]["Issues"] == "https://host.example/owner/name/issues"
    assert set(kept["project_urls"]) == {"Homepage", "Documentation", "Issues", "Changelog"}


def test_without_an_address_none_is_made_up(given, root: Path) -> None:
    kept = given("")
    assert kept["project_urls"] == {}
    assert kept["long_description"] == (root / "README.md").read_text(encoding="utf-8")


def test_a_release_is_checked_attested_and_published_without_a_token(root: Path) -> None:
    yaml = pytest.importorskip("yaml")
    text = (root / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    steps = " ".join(str(step.get("run", "")) for step in jobs["build"]["steps"])
    assert (
        steps.index("python -m build")
        < steps.index("twine check --strict")
        < steps.index("check-wheel-contents dist")
    )
    assert jobs["publish"]["needs"] == "build"
    assert jobs["publish"]["permissions"] == {"id-token": "write", "attestations": "write"}
    used = [step.get("uses", "").partition("@")[0] for step in jobs["publish"]["steps"]]
    assert used == [
        "actions/download-artifact",
        "actions/attest-build-provenance",
        "pypa/gh-action-pypi-publish",
    ]
    assert "secrets." not in text
