"""A drawing of matplotlib as a piece of a page: text that stays text, colours of the page, a title and a description."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
from matplotlib.figure import Figure

from edgeau_export.report.html.html import COLOURS, DRAWING

__all__ = ["COLOUR", "drawing_settings", "inline_svg", "svg_file"]

# What matplotlib draws with, and the custom property of the page that takes its place, light or dark.
COLOUR = {
    "ink": "#1b1f24",
    "soft": "#5d6672",
    "line": "#d8dde3",
    "paper": "#fefefe",
    "one": "#1668b3",
    "two": "#c2571a",
    "three": "#2f8554",
    "four": "#7a4fb0",
}
_PROPERTY = {colour: f"var(--{name})" for name, colour in COLOUR.items()}
_FONT_SIZE = 12.5
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "edgeau",  # otherwise names inside the drawing differ from run to run
    "text.parse_math": False,  # names may hold $ and _
    "font.size": _FONT_SIZE,
    "axes.labelsize": _FONT_SIZE,
    "xtick.labelsize": _FONT_SIZE,
    "ytick.labelsize": _FONT_SIZE,
    "legend.fontsize": _FONT_SIZE,
    "legend.frameon": False,
    "legend.handlelength": 1.2,
    "legend.columnspacing": 1.2,
    "text.color": COLOUR["ink"],
    "axes.labelcolor": COLOUR["ink"],
    "axes.edgecolor": COLOUR["soft"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": COLOUR["line"],
    "xtick.color": COLOUR["soft"],
    "ytick.color": COLOUR["soft"],
    "xtick.labelcolor": COLOUR["ink"],
    "ytick.labelcolor": COLOUR["ink"],
}
_NAMESPACE = re.compile(r"^\{[^}]*\}")
_DECIMALS = re.compile(r"-?\d+\.\d+")
_NUMBERS = ("d", "x", "y", "transform")
_FIGURE = re.compile(r"<svg (viewBox=\"0 0 (\S+) (\S+)\"[^>]*)>(.*)</svg>", re.DOTALL)


@contextmanager
def drawing_settings() -> Iterator[None]:
    """Settings of the drawings of a page, whatever settings of matplotlib the user has."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def inline_svg(figure: Figure, title: str, words: str, hints: Mapping[str, str] | None = None) -> str:
    """An ``<svg>`` element for a page, the same bytes for the same figure.

    Args:
        figure: drawn within :func:`drawing_settings`, in the colours of :data:`COLOUR`.
        title: name of the plot, plain text.
        words: its values, for readers who do not see it.
        hints: ``gid`` of an artist -> text that is shown when a mouse points at it.
    """
    figure.patch.set_visible(False)
    for axes in figure.axes:
        axes.patch.set_visible(False)
    for artist in figure.findobj():
        artist.set_clip_on(False)  # every limit holds its data; clip paths would be urls
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ET.fromstring(file.getvalue())  # noqa: S314 - matplotlib wrote it just now
    key = "d" + hashlib.sha256(file.getvalue() + words.encode()).hexdigest()[:8]
    _without_globals(root)
    _with_hints(root, hints or {})
    _renamed(root, key)
    body = "".join(ET.tostring(child, encoding="unicode") for child in root)
    return (
        f'<svg viewBox="{root.attrib["viewBox"]}" role="img" aria-labelledby="{key}-title" aria-describedby="{key}-words">'
        f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-words">{escape(words)}</desc>{body}</svg>'
    )


def _without_globals(root: ET.Element) -> None:
    """Leave out what would act on the page around the drawing; the page's own style says the rest."""
    for element in root.iter():
        element.tag = _NAMESPACE.sub("", element.tag)
        element.attrib = {
            _NAMESPACE.sub("", name): _DECIMALS.sub(_short, value) if name in _NUMBERS else value
            for name, value in element.attrib.items()
        }
        element.text, element.tail = (
            (element.text or "").strip() if element.tag in ("text", "tspan") else None,
            None,
        )
        if "style" in element.attrib:
            element.attrib["style"] = _style(element.attrib["style"])
    for element in list(root.iter()):
        for child in [child for child in element if _is_global(child)]:
            element.remove(child)


def _short(number: re.Match[str]) -> str:
    """A hundredth of a pixel is enough."""
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _is_global(element: ET.Element) -> bool:
    children = list(element)
    return element.tag in ("style", "metadata") or (
        element.tag == "defs" and all(child.tag == "style" for child in children)
    )


def _style(style: str) -> str:
    """In colours of the page, and in its font."""
    kept = []
    for part in filter(None, map(str.strip, style.split(";"))):
        name, _, value = part.partition(": ")
        if not name.startswith("font"):  # the page has one of its own
            kept.append(f"{name}: {_PROPERTY.get(value, value)}")
    return "; ".join(kept)


def _with_hints(root: ET.Element, hints: Mapping[str, str]) -> None:
    for element in root.iter("g"):
        words = hints.get(element.attrib.get("id", ""))
        if words is not None:
            hint = ET.Element("title")
            hint.text = words
            element.insert(0, hint)


def _renamed(root: ET.Element, key: str) -> None:
    """Names that something points at are unique in a page of several drawings; the others go."""
    pointed = {
        element.attrib["href"].removeprefix("#") for element in root.iter() if "href" in element.attrib
    }
    names = {name: f"{key}-{number}" for number, name in enumerate(sorted(pointed))}
    for element in root.iter():
        name = element.attrib.pop("id", None)
        if name in names:
            element.attrib["id"] = names[name]
        if "href" in element.attrib:
            element.attrib["href"] = "#" + names[element.attrib["href"].removeprefix("#")]


def svg_file(figure: str) -> str:
    """The drawing of a figure of :mod:`edgeau_export.report.html.plots`, without its caption, as an SVG document.

    Raises:
        ValueError: there is no such drawing in it.
    """
    found = _FIGURE.search(figure)
    if found is None:
        raise ValueError("the figure holds no drawing of edgeau_export.report.html.plots")
    attributes, width, height, marks = found.groups()
    # A line an element, so that a change of one value is one line of a diff.
    lines = marks.replace("><", ">\n<")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {attributes}>\n'
        f"<style>\n{COLOURS}{DRAWING}</style>\n"
        f'<rect width="{width}" height="{height}" style="fill: var(--paper)"/>\n{lines}\n</svg>\n'
    )
