"""What ``pyproject.toml`` cannot say: the bundles' model files are assembled, and the project's address is that of its host.

``EDGEAU_REPOSITORY`` is the one place of the project's address, such as ``https://github.com/OWNER/NAME``; the release workflow
sets it to the repository that it runs in. From it are made the links of the package's page and the absolute links of its README.
Without it there are none, and README's links stay as they are.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "weights"))

from assemble import assemble  # noqa: E402

_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?![\w+.-]+:|#)([^)\s]+)\)")


class BuildWithBundles(build_py):
    """Into the build folder; of an editable installation, into the checkout, which is what runs then."""

    def run(self) -> None:  # noqa: D102 - of setuptools
        super().run()
        assemble(ROOT, ROOT if self.editable_mode else Path(self.build_lib))


def project_urls(repository: str) -> dict[str, str]:
    """Links of the package's page, by their name."""
    if not repository:
        return {}
    return {
        "Homepage": repository,
        "Documentation": f"{repository}/tree/HEAD/docs",
        "Issues": f"{repository}/issues",
        "Changelog": f"{repository}/blob/HEAD/CHANGELOG.md",
    }


def readme(repository: str) -> str:
    """README with links that lead somewhere outside of the repository too."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    if not repository:
        return text
    return _LINK.sub(
        lambda found: f"{found[1]}[{found[2]}]({repository}/{'raw' if found[1] else 'blob'}/HEAD/{found[3]})",
        text,
    )


ADDRESS = os.environ.get("EDGEAU_REPOSITORY", "").rstrip("/")

setup(
    cmdclass={"build_py": BuildWithBundles},
    project_urls=project_urls(ADDRESS),
    long_description=readme(ADDRESS),
    long_description_content_type="text/markdown",
)
