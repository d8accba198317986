"""What ``pyproject.toml`` cannot say: the packaged bundles' model files are assembled when edgeau is built or installed."""

from __future__ import annotations

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "weights"))

from assemble import assemble  # noqa: E402


class BuildWithBundles(build_py):
    """Into the build folder; of an editable installation, into the checkout, which is what runs then."""

    def run(self) -> None:  # noqa: D102 - of setuptools
        super().run()
        assemble(ROOT, ROOT if self.editable_mode else Path(self.build_lib))


setup(cmdclass={"build_py": BuildWithBundles})
