"""Pages, help and messages are written in the field's words: phrases of an old private dialect do not come back."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = [
    path
    for folder in ("edgeau", "apps/edgeau_apps", "export", "calibration", "training")
    for suffix in ("*.py", "*.html", "*.js", "*.toml")
    for path in sorted((ROOT / folder).rglob(suffix))
    if "node_modules" not in path.parts
    and path.parent != ROOT / "export/edgeau_export/web/page"  # built by npm
]

# Phrase -> what the field says.
ODD = {
    r"\bis said and not used\b": "edgeau warns and uses float",
    r"\bmend(ed|s|ing)?\b": "fix",
    r"\bsaid aloud\b": "prints a notice",
    r"\ball of them only look back\b": "all are causal",
    r"\bfastest right one\b": "the fastest artifact that passes its check",
    r"\bseen to work on real faces\b": "validated on real faces",
    r"\bnames what .{1,40} has not\b": "names something that it does not contain",
    r"\bis no (file and no network|HOST:PORT)\b": "is not a ...",
    r"\bstands? in for it\b": "is used instead",
    r"\bleft out \d": "dropped frames",
    r"\bbelieves? the result more\b": "confidence rises",
    r"\bWhat is computed against what is stored\b": "MACs vs. parameters",
    r"\bstolen numbers\b": "ID swaps",
    r"\binstall line that exists\b": "the matching pip command",
    r"\btold apart from\b": "distinguished from",
    r"\bnetwork of the own\b": "a network of your own",
    r"\bA walk\b": "Tutorial",
    r"\barrows between the rooms\b": "layers of packages",
    r"(?<!here )\bis no (?!longer|more\b|less\b|better|worse|faster|slower|larger|smaller|other|one\b|such|need|way\b)[a-z{]+": "is not a ...",
    r"\bgoes the same way\b": "is exported in the same way",
    r"\bturn(ed)? the channels\b.{0,30}\bround\b": "convert BGR to RGB",
    r"\b(was|is|are|were) held against\b": "checked against",
    r"\bstands? (twice|in the bundle|in `)": "is given twice, is in ...",
    r"\btwice the same way\b": "a second run gives the same results",
    r"\bcalm at rest\b": "smooths much at rest",
    r"\bwith full belief\b": "with a confidence of 1",
    r"\b(stands?|stood) behind (it|a)\b": "has a ..., gives the reason",
    r"\bmanners that all share\b": "what all commands have in common",
    r"\bsaid again and again\b": "repeated messages",
    r"\bwhat stands in the way\b": "the reason",
}


def found(path: Path) -> list[str]:
    text = " ".join(path.read_text(encoding="utf-8").split())
    return [
        f"{path}: {match.group()!r}: write {plain!r}"
        for odd, plain in ODD.items()
        for match in re.finditer(odd, text, re.IGNORECASE)
    ]


@pytest.mark.parametrize("files", [PAGES, SOURCES], ids=["pages", "sources"])
def test_no_odd_phrase(files):
    assert len(files) > 20
    assert [line for path in files for line in found(path)] == []


def test_an_odd_phrase_would_be_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("An INT8 that is slower is said\nand not used.", encoding="utf-8")
    assert len(found(page)) == 1
