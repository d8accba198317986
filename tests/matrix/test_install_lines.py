"""Every install line that edgeau prints or shows resolves on every Python it is meant for, takes nothing away and doubles no OpenCV.

pip's own resolver says so (``--dry-run``), in empty environments and in those that have something already.
"""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from edgeau._system.install_lines import EXTRAS, MORE, extra_line, pip_line
from edgeau.runtimes.table import runtimes
from edgeau_export.targets.target import load_target, targets
from tests.matrix.install_lines import ROOT, InstallLine, extras, install_lines, shown_lines, spelt_out
from tests.matrix.pythons import PROMISED, interpreter

# Requirements that pin a board's own system or an older package, and the Pythons that there are for it.
_ONLY = {
    "onnxruntime==1.23.2": ("3.10",),  # JetPack 6
    "cuda-python>=12.6,<13": ("3.10",),
    "cuda-python>=13": ("3.12",),  # JetPack 7
    "numpy<2": ("3.10", "3.11", "3.12"),  # JetPack 6, Raspberry Pi OS Bookworm
    "tflite-runtime==2.14.0": ("3.10", "3.11"),
}
LINES = install_lines()


def pythons(line: InstallLine) -> tuple[str, ...]:
    allowed = [_ONLY[other] for other in line.others if other in _ONLY]
    return tuple(version for version in PROMISED if all(version in each for each in allowed))


def named(line: InstallLine) -> str:
    return " ".join((line.extras, *line.others)).strip()


def test_the_module_has_every_extra_and_nothing_else() -> None:
    assert set(EXTRAS) == extras()


def test_no_source_spells_a_line_out() -> None:
    assert spelt_out() == []


def test_what_is_shown_asks_for_extras_and_requirements_that_are_proven() -> None:
    known = {text for requirements in MORE.values() for text in requirements} | set(_ONLY)
    for line, file in shown_lines().items():
        assert set(line.extras.split(",")) <= set(EXTRAS), file
        assert set(line.others) <= known, file
        assert pythons(line), f"{file}: {named(line)} is for no promised Python"


def test_engines_and_targets_print_these_lines() -> None:
    for row in runtimes().values():
        if row.tool:
            assert row.install_line == f"edgeau-export --make-tool {row.tool}"
            continue
        extra = re.search(r"edgeau\[(\w+)\]", row.install_line)
        assert extra is not None
        assert extra_line(extra[1]) in row.install_line
    for name in targets():
        assert "pip" not in load_target(name).install or re.search(
            r"pip install 'edgeau\[[a-z,]+\]'", load_target(name).install
        ), name


def test_a_line_is_what_a_shell_takes() -> None:
    assert pip_line("edgeau[web]", "numpy<2", "pandas") == "pip install 'edgeau[web]' 'numpy<2' pandas"
    with pytest.raises(ValueError, match="no extra webb"):
        extra_line("webb")


def test_nothing_but_the_tests_asks_for_mediapipe() -> None:
    """It costs 1.2 GB, asks for numpy 1 and another flavour of OpenCV, and no device needs it."""
    assert "mediapipe" not in EXTRAS
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert text.count("mediapipe>=") == 1
    assert text.index("mediapipe>=") > text.index("dev = [")


def resolved(python: str | Path, line: InstallLine, wheel: Path, *options: str) -> dict[str, str]:
    """Distributions that pip would install, by name."""
    wanted = [f"{wheel}[{line.extras}]"] if line.extras else []
    command = [str(python), "-m", "pip", "install", "--dry-run", "--quiet", "--disable-pip-version-check"]
    command += [*options, "--report", "-", *wanted, *line.others]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = [item["metadata"] for item in json.loads(done.stdout[done.stdout.index("{") :])["install"]]
    return {_name(item["name"]): item["version"] for item in found}


def skip_what_cannot_be_resolved(line: InstallLine, version: str) -> None:
    if version not in pythons(line):
        pytest.skip(f"a board's line, for Python {', '.join(pythons(line))} only")
    if line.others == ("tensorrt",):
        pytest.skip("needs TensorRT's own package index, which its installer asks while pip resolves it")


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def _opencvs(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith("opencv-")}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", PROMISED)
@pytest.mark.parametrize("line", [pytest.param(line, id=named(line)) for line in sorted(LINES)])
def test_it_resolves(line: InstallLine, version: str, wheel: Path) -> None:
    skip_what_cannot_be_resolved(line, version)
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    chosen = resolved(python, line, wheel, "--ignore-installed")
    assert chosen
    opencvs = {name: chosen[name] for name in _opencvs(set(chosen))}
    # Tests compare with mediapipe, which asks for a flavour of its own; the same version of both is one and the same module.
    assert len(opencvs) <= 1 or (line.extras == "dev" and len(set(opencvs.values())) == 1), opencvs


# What is there already; edgeau itself among it, since it is edgeau that prints the lines.
_THERE = {
    "older": ("3.11", ("numpy==1.26.4", "opencv-python==4.11.0.86")),
    "newer": ("3.11", ("numpy>=2.4,<2.5", "opencv-python>=5")),
    "newest Python": ("3.13", ("numpy>=2.4", "opencv-python>=5")),
    # Others' flavours beside ours: no line may add one more.
    "headless": ("3.11", ("numpy==1.26.4", "opencv-python-headless==4.11.0.86", "opencv-python==4.11.0.86")),
}
# Requirements whose purpose is an older version of something.
_OLDER_ON_PURPOSE = {"numpy<2", "opencv-python<5", "onnxruntime==1.23.2"}


@pytest.fixture(scope="module")
def there(wheel: Path, tmp_path_factory: pytest.TempPathFactory):
    """Makes an environment of :data:`_THERE` once, and says its Python and what is in it."""

    @cache
    def made(which: str) -> tuple[Path, dict[str, tuple[str, list[str]]]]:
        version, requirements = _THERE[which]
        python = interpreter(version)
        if python is None:
            pytest.skip(f"there is no Python {version} on this machine")
        place = tmp_path_factory.mktemp("there")
        subprocess.run([python, "-m", "venv", str(place)], check=True)
        inside = place / "bin" / "python"
        install = [str(inside), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, str(wheel), *requirements], check=True)
        return inside, _installed(inside)

    return made


def _installed(python: Path) -> dict[str, tuple[str, list[str]]]:
    code = (
        "import json; from importlib.metadata import distributions; "
        "print(json.dumps([(d.metadata['Name'], d.version, d.requires or []) for d in distributions()]))"
    )
    shown = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout
    return {_name(name): (version, requires) for name, version, requires in json.loads(shown)}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("which", _THERE)
@pytest.mark.parametrize("line", [pytest.param(line, id=named(line)) for line in sorted(LINES)])
def test_it_takes_nothing_away(line: InstallLine, which: str, there, wheel: Path) -> None:
    skip_what_cannot_be_resolved(line, _THERE[which][0])
    if line.extras == "dev":
        pytest.skip("for an environment of its own: edgeau's tests")
    python, before = there(which)
    planned = resolved(python, line, wheel, "--upgrade-strategy", "only-if-needed")
    planned.pop("edgeau", None)  # the wheel itself is given by its place
    if not _OLDER_ON_PURPOSE & set(line.others):
        lower = {
            n: (before[n][0], v)
            for n, v in planned.items()
            if n in before and Version(v) < Version(before[n][0])
        }
        assert lower == {}
    assert not _opencvs(set(planned)) - _opencvs(set(before)), planned
    assert _broken(before, planned) == []


def _broken(before: dict[str, tuple[str, list[str]]], planned: dict[str, str]) -> list[str]:
    """What ``pip check`` would say of what was there, with what would be installed."""
    versions = {name: version for name, (version, _) in before.items()} | planned
    found = []
    for name, (_, requires) in before.items():
        if name in planned or name == "edgeau":
            continue
        for text in requires:
            need = Requirement(text)
            if need.marker is not None and not need.marker.evaluate({"extra": ""}):
                continue
            have = versions.get(_name(need.name))
            if have is None or not need.specifier.contains(have, prereleases=True):
                found.append(f"{name} needs {need}, there is {have}")
    return found
