"""Hooks of the documentation site: pages and pictures that lie outside of ``docs``, links to files of the repository, the API pages."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s:]+)(#[^)\s]*)?\)")
# Pages of the repository that readers of the site need as well; their links are made as if they lay in docs.
_BESIDE = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "THIRD_PARTY.md")
_PICTURES = (".webp", ".png", ".jpg", ".svg")

# Modules of the API pages, in the order in which a reader meets them.
API = {
    "pipeline": (
        "Pipeline and results",
        ("edgeau.pipeline", "edgeau.results", "edgeau.errors", "edgeau.annotation"),
    ),
    "live": ("Live", ("edgeau.live", "edgeau.sources")),
    "time": (
        "Smoothing and events",
        ("edgeau.temporal.smoothing", "edgeau.temporal.hysteresis", "edgeau.temporal.events"),
    ),
    "baselines": (
        "Neutral faces",
        ("edgeau.action_units.neutral_baseline", "edgeau.temporal.running_baseline"),
    ),
    "limits": ("Limits of a face's picture", ("edgeau.faces.quality.limits",)),
    "sinks": ("Sinks", ("edgeau.sinks",)),
    "bundles": ("Bundles", ("edgeau.bundle",)),
}


def on_config(config: Any) -> Any:
    """Make the navigation from the sections of the index, ``docs/README.md``, whose test asks for every page."""
    navigation: list[Any] = [{"All pages": "README.md"}]
    for line in (ROOT / "docs" / "README.md").read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"\*\*([^*]+)\*\*", line):
            navigation.append({heading[1]: []})
        for words, page in re.findall(
            r"\[([^\]]+)\]\(([\w/.-]+\.md)\)", line if line.startswith("- ") else ""
        ):
            own = next(iter(navigation[-1].values()))
            if not any(page in entry.values() for entry in own) and (ROOT / "docs" / page).exists():
                own.append({words[0].upper() + words[1:]: page})
    decisions = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    navigation.append({"Decisions": [f"decisions/{name}" for name in decisions]})
    navigation.append({"API": [{title: f"api/{name}.md"} for name, (title, _) in API.items()]})
    navigation.append(
        {"Repository": [{name[:-3].replace("_", " ").capitalize(): f"repository/{name}"} for name in _BESIDE]}
    )
    config.nav = navigation
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add what lies outside of the folder of pages."""
    for name in _BESIDE:
        files.append(File.generated(config, f"repository/{name}", abs_src_path=str(ROOT / name)))
    for picture in sorted((ROOT / "edgeau" / "assets" / "plate").glob("*.webp")):
        files.append(
            File.generated(
                config, f"repository/edgeau/assets/plate/{picture.name}", abs_src_path=str(picture)
            )
        )
    for name, (title, modules) in API.items():
        text = f"# {title}\n\n" + "\n\n".join(f"::: {module}" for module in modules) + "\n"
        files.append(File.generated(config, f"api/{name}.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Point links that leave the folder of pages to what the site has of them; what it has not becomes plain text."""
    del config
    here = PurePosixPath(page.file.src_uri)
    # Where the page lies in the repository.
    inside = here.relative_to("repository") if here.parts[0] == "repository" else PurePosixPath("docs") / here

    def turned(found: re.Match[str]) -> str:
        mark, words, target, anchor = found[1], found[2], found[3], found[4] or ""
        place = normpath((inside.parent / target).as_posix())
        site = place.removeprefix("docs/") if place.startswith("docs/") else f"repository/{place}"
        if files.get_file_from_path(site) is None:
            return f"{words} (`{place}` in the repository)"
        return f"{mark}[{words}]({relpath(site, here.parent.as_posix())}{anchor})"

    return _LINK.sub(turned, markdown)


def on_page_content(html: str, **_given: Any) -> str:
    """Show the names that docstrings refer to as Sphinx does, without its marks."""
    html = re.sub(r":(?:class|func|mod|meth|attr|data):(?=<code>)", "", html)
    return re.sub(r"<code>~[\w.]*\.(\w+)</code>", r"<code>\1</code>", html)
