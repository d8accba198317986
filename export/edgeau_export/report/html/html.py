"""A page: its head, its style, its sections and tables."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from html import escape

from edgeau._system.printable import printable

__all__ = [
    "COLOURS",
    "DRAWING",
    "document",
    "format_signed",
    "number",
    "paragraph",
    "percent",
    "picture",
    "section",
    "table",
    "verdict",
]

_CONTENTS_FROM = 3  # sections; a page with fewer needs no list of them
_WORDS = 28  # a cell that is longer holds words, and may wrap

# As custom properties of the root, light and dark.
COLOURS = """\
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5d6672; --line: #d8dde3; --paper: #fff; --panel: #f5f7f9;
  --one: #1668b3; --two: #c2571a; --three: #2f8554; --four: #7a4fb0; --good: #2f8554; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9aa4b0; --line: #343b44; --paper: #15181c;
  --panel: #1d2126; --one: #6fb3f2; --two: #f0935a; --three: #6cc795; --four: #b795e6; --good: #6cc795; --bad: #ff8a80; } }
"""

DRAWING = """\
svg text { fill: var(--ink); font: 12.5px system-ui, sans-serif; paint-order: stroke; stroke: var(--paper); stroke-width: 2px; }
svg path { stroke-linejoin: round; }
"""

# Readable on a phone and on paper, light and dark; wide tables scroll in their own box.
_LAYOUT = """\
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 4rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; overflow-wrap: anywhere; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; } p { margin: .4rem 0; max-width: 46rem; } .soft { color: var(--soft); }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, td.words, th.words { text-align: left; } td.words { white-space: normal; min-width: 14rem; }
thead th { background: var(--panel); position: sticky; top: 0; } tr:last-child td { border-bottom: 0; }
ul.notes { padding-left: 1.2rem; color: var(--soft); font-size: .86rem; max-width: 60rem; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: .6rem 0; flex: 1 1 26rem; min-width: 0; max-width: 36rem; }
figcaption { color: var(--soft); font-size: .86rem; } img { max-width: 100%; height: auto; } svg { width: 100%; height: auto; display: block; }
.good { color: var(--good); } .bad { color: var(--bad); } .gallery { display: flex; flex-wrap: wrap; gap: .8rem; }
.gallery figure { flex: 0 0 10rem; } .gallery img { width: 100%; border-radius: 4px; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .8rem 0; list-style: none; font-size: .92rem; } nav a { color: var(--one); }
details > summary { cursor: pointer; margin: .6rem 0; }
"""


def document(title: str, lead: str, sections: Iterable[str]) -> str:
    """A whole page, which UTF-8 can hold whatever names are in it.

    Args:
        title: title of the page, plain text.
        lead: one sentence below it, plain text.
        sections: HTML of :func:`section`; from three on the page begins with a list of them.
    """
    body = "\n".join(sections)
    return printable(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{COLOURS}{DRAWING}{_LAYOUT}</style>\n</head>\n<body>\n"
        f'<header>\n<h1>{escape(title)}</h1>\n<p class="soft">{escape(lead)}</p>\n</header>\n'
        f"{_contents(body)}<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _contents(body: str) -> str:
    listed = re.findall(r'<section id="([^"]+)">\s*<h2>(.*?)</h2>', body)
    if len(listed) < _CONTENTS_FROM:
        return ""
    entries = "".join(f'<li><a href="#{place}">{heading}</a></li>' for place, heading in listed)
    return f'<nav aria-label="Contents"><ul>{entries}</ul></nav>\n'


def section(heading: str, *parts: str, folded: bool = False) -> str:
    """A heading and what stands below it.

    Args:
        heading: plain text.
        parts: HTML.
        folded: closed until the reader opens it, for what is long.
    """
    inner = "\n".join(parts)
    if folded:
        return f"<details><summary><strong>{escape(heading)}</strong></summary>\n{inner}\n</details>"
    place = re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")
    return f'<section id="{place}">\n<h2>{escape(heading)}</h2>\n{inner}\n</section>'


def paragraph(text: str, kind: str = "") -> str:
    """Plain text as a paragraph; ``kind`` is ``"soft"``, ``"good"``, ``"bad"`` or nothing."""
    return f'<p class="{escape(kind)}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def verdict(text: str, *, good: bool) -> str:
    """A sentence that says whether something held: marked in words as well, for readers who see no colours."""
    return paragraph(("PASS: " if good else "FAIL: ") + text, "good" if good else "bad")


def picture(content: bytes, description: str, caption: str, kind: str = "png") -> str:
    """A picture inside the page.

    Args:
        content: the encoded file.
        description: for readers who do not see it.
        caption: below it.
        kind: ``"png"``, ``"jpeg"`` or ``"webp"``.
    """
    data = base64.b64encode(content).decode()
    return (
        f'<figure><img src="data:image/{kind};base64,{data}" alt="{escape(description, quote=True)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> str:
    """A table that scrolls in its own box where it is wide.

    Args:
        head: one cell a column, plain text.
        rows: as many cells each, plain text.
        notes: below it.
    """
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "\n".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    below = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return (
        f'<div class="wide" tabindex="0"><table>\n<thead><tr>{cells}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'
        + (f'\n<ul class="notes">{below}</ul>' if below else "")
    )


def _cell(text: str) -> str:
    return f'<td class="words">{escape(text)}</td>' if len(text) > _WORDS else f"<td>{escape(text)}</td>"


def number(value: float | None, digits: int) -> str:
    """With so many digits after the point."""
    return "-" if value is None else f"{value:.{digits}f}"


def format_signed(value: float | None, digits: int) -> str:
    """The same with its sign."""
    return "-" if value is None else f"{value:+.{digits}f}"


def percent(value: float | None, digits: int) -> str:
    """A share 0..1 in percent."""
    return "-" if value is None else f"{value:.{digits}%}"
