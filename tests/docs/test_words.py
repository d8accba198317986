"""Pages, help and messages are written in the field's words: phrases of an old private dialect do not come back."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from edgeau_apps.console_scripts import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
SOURCES = [
    path
    for folder in ("edgeau", "apps/edgeau_apps", "export", "calibration", "training")
    for suffix in ("*.py", "*.html", "*.js", "*.toml")
    for path in sorted((ROOT / folder).rglob(suffix))
    if "node_modules" not in path.parts
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

# What stands in comments of many files too, and on no page.
ODD_ON_PAGES = {
    r"\banew\b": "again",
    r"\bin the mean\b": "on average",
    r"\bto the bit\b": "bit-identical",
    r"\bbeside other (work|programs)\b": "while other programs ran",
    r"\bsome (two|three|four|five|ten|twelve|twenty|thirty|forty|\d+)\b(?! of)": "about ...",
    r"\b(made|answers?|answered|rounded|rounds|framed|told|cut|seen) otherwise\b": "differently",
    r"\botherwise than\b": "differently from",
    r"\bspare[sd]? the network\b": "the network is not run on ...",
    r"\b(on|by) the clock\b(?!,? (of|that))": "in wall-clock time",
    r"\btravels? (in|with|to)\b": "is stored in, is included",
    r"\b(is|are|was|were) (said|told)\b(?! (apart|to|when|that|about))": "is reported",
    r"\bthe bar (of|is)\b": "the goal, the limit",
    r"\bwhole persons\b": "by person",
    r"\bstands? there twice\b": "appears twice",
    r"\b(?<!there )(are|were) no (?!longer|more\b|less\b|better|worse|faster|slower|larger|smaller|other|one\b|such|need|way\b|different)[a-z{]+": "are not ...",
    r"\bfor ever\b": "without end",
    r"\bnobody (labelled|knows|saw|looked|asked|listens)\b": "there is no label, it is not known ...",
    r"\bfaces? at hand\b|\bwere at hand\b|\bwas at hand\b": "were available",
    r"\bkept aside\b": "not shipped",
    r"\bfirst met\b|\bhas not met\b": "first loaded, has not tested",
    r"\bends? (it )?by itself\b": "ends without ...",
    r"\bgoes by\b": "is decided by, uses",
    r"\bkeeps? to itself\b": "does not share",
    r"\bthe like of\b": "similar to",
    r"\bwas (begun|broken off)\b": "was started, was stopped",
}


def found(text: str, phrases: dict[str, str]) -> list[str]:
    text = " ".join(text.split())
    return [
        f"{match.group()!r}: write {plain!r}"
        for odd, plain in phrases.items()
        for match in re.finditer(odd, text, re.IGNORECASE)
    ]


def found_in(files: list[Path], phrases: dict[str, str]) -> list[str]:
    return [f"{path}: {line}" for path in files for line in found(path.read_text(encoding="utf-8"), phrases)]


def test_no_odd_phrase_on_a_page():
    assert len(PAGES) > 20
    assert found_in(PAGES, {**ODD, **ODD_ON_PAGES}) == []


def test_no_odd_phrase_in_the_programs():
    assert len(SOURCES) > 20
    assert found_in(SOURCES, ODD) == []


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_no_odd_phrase_in_a_help_text(command):
    help_text = import_module(command.module)._parser().format_help()
    assert "usage: " in help_text
    assert found(help_text, {**ODD, **ODD_ON_PAGES}) == []


@pytest.mark.parametrize(
    ("phrases", "text"),
    [
        (ODD, "An INT8 that is slower is said\nand not used."),
        (ODD, "'x' is no network."),
        (ODD_ON_PAGES, "Results are the same to the bit."),
        (ODD_ON_PAGES, "It takes some ten seconds."),
        (ODD_ON_PAGES, "The table is written anew."),
        (ODD_ON_PAGES, "Labels that are no AUs are left out."),
    ],
)
def test_an_odd_phrase_would_be_found(phrases, text):
    assert len(found(text, phrases)) == 1


@pytest.mark.parametrize(
    "text", ["some of the faces", "the bars of the page", "There are no faces.", "They are no longer used."]
)
def test_plain_english_passes(text):
    assert found(text, {**ODD, **ODD_ON_PAGES}) == []


LONGEST = 70  # words of a sentence


def sentences(markdown: str) -> list[str]:
    """The sentences of a page's prose: no code, tables, headings or parts that commands write."""
    text = re.sub(r"```.*?```|<!-- begin.*?<!-- end[^>]*>", "\n\n", markdown, flags=re.DOTALL)
    text = re.sub(r"`[^`]*`", "Code", text)
    blocks = re.split(r"\n\s*\n|\n(?=- |\d+\. |\|)", text)
    prose = [" ".join(block.split()) for block in blocks if not block.lstrip().startswith(("|", "#"))]
    return [
        sentence
        for block in prose
        for sentence in re.split(r"(?<=[.:;?!])\s+(?=[A-Z`*\[(])", block)
        if sentence
    ]


def too_long(markdown: str) -> list[str]:
    return [sentence for sentence in sentences(markdown) if len(sentence.split()) > LONGEST]


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name not in ("python-api.md", "CHANGELOG.md")],
    ids=lambda page: page.name,
)
def test_sentences_can_be_read(page):
    assert too_long(page.read_text(encoding="utf-8")) == []


def test_a_sentence_without_end_would_be_found():
    assert len(too_long(f"It runs. {'and so on ' * 30}.\n\n| a | {'cell ' * 90} |\n")) == 1
