"""Places that cannot be written to, and locales with a decimal comma."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "import sys; from edgeau_apps.analyze.command import main; sys.exit(main())"
# What setlocale does for numbers in C, whether or not the system has a German locale: checked by the program itself.
_COMMA = (
    "import locale, sys\n"
    "for name in ('de_DE.UTF-8', 'de_DE.utf8', 'fr_FR.UTF-8'):\n"
    "    try: locale.setlocale(locale.LC_ALL, name); break\n"
    "    except locale.Error: pass\n"
    "else: sys.exit(99)\n"
    "assert locale.localeconv()['decimal_point'] == ','\n"
    "from edgeau_apps.analyze.command import main\n"
    "sys.exit(main())\n"
)


def analyze(*words: str | Path, code: str = PROGRAM, before: tuple[str, ...] = (), **environment: str):
    return subprocess.run(
        [*before, sys.executable, "-c", code, *map(str, words), "--threads", "1"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


def test_a_read_only_file_system_is_one_line(picture: Path, bundle: Path, tmp_path: Path) -> None:
    """A tmpfs mounted read-only in a mount namespace of its own: root may write to read-only folders, but not there."""
    place = tmp_path / "place"
    place.mkdir()
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    mount = f'mount -t tmpfs -o ro none {place} && exec "$@"'
    inside = ("unshare", "-m", "sh", "-c", mount, "sh")
    tried = subprocess.run([*inside, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip("only root of a machine of its own may mount")
    done = analyze(picture, "--out", place / "out", "--bundle", bundle, before=inside)
    assert done.returncode == 2
    assert "Read-only file system" in done.stderr
    assert str(place) in done.stderr
    assert done.stderr.count("\n") == 1
    # A cache that cannot be written to is no reason not to run.
    done = analyze(
        picture, "--out", tmp_path / "out", "--bundle", bundle, before=inside, XDG_CACHE_HOME=str(place)
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "out" / "astronaut.csv").is_file()


def test_a_folder_that_may_not_be_written_to_is_one_line(picture: Path, bundle: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (tmp_path / "locked").mkdir(mode=0o500)
    done = analyze(picture, "--out", tmp_path / "locked", "--bundle", bundle)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A German locale: the system's, or one compiled for the test."""
    if "de_DE.utf8" in subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout:
        return {}
    folder = tmp_path_factory.mktemp("locales")
    if shutil.which("localedef") is None or not Path("/usr/share/i18n/locales/de_DE").exists():
        pytest.skip("there is no German locale: apt-get install locales")
    subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "UTF-8", folder / "de_DE.UTF-8"], check=True, capture_output=True
    )
    return {"LOCPATH": str(folder)}


def test_a_decimal_comma_changes_no_number(
    picture: Path, film: Path, bundle: Path, tmp_path: Path, locales
) -> None:
    words = (picture, film, "--bundle", bundle, "--pose", "--landmarks", "68")
    plain = analyze(*words, "--out", tmp_path / "plain")
    comma = analyze(*words, "--out", tmp_path / "comma", code=_COMMA, LC_ALL="de_DE.UTF-8", **locales)
    assert comma.returncode == plain.returncode == 0, comma.stderr
    for name in ("astronaut.csv", "film.csv"):
        assert (tmp_path / "comma" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
