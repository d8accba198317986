"""Plots of a page: their own bytes again and again, text that stays text, the page's colours, points and intervals told apart."""

import re
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest

from edgeau_export.report.html.html import COLOURS
from edgeau_export.report.html.inline_svg import COLOUR
from edgeau_export.report.html.plots import Bar, Point, Range, bars, points, ranges, svg_file


def drawing(figure: str) -> ET.Element:
    return ET.fromstring(re.search(r"<svg.*</svg>", figure, re.DOTALL)[0])


def texts(figure: str) -> list[str]:
    return [text.text for text in drawing(figure).iter("text")]


THREE = [Point("one", 1, 1), Point("two", 1, 1, 1), Point("three_$x$", 2, 3, interval=(2.5, 3.5))]


def one_of_each() -> list[str]:
    return [
        points("caption", THREE, "size, MB", "drop of F1", legend=("tried", "kept")),
        bars("caption", [Bar("AU1 & AU2", (0.5, 0.6), ((0.4, 0.6), None))], "F1, 0..1", ("float", "INT8")),
        ranges("caption", [Range("int8, 1 thread", 10.0, (9.5, 11.0), (8.0, 20.0))], "latency, ms"),
    ]


def test_a_drawing_is_the_same_bytes_again_whatever_settings_a_user_has():
    with mpl.rc_context(
        {"font.size": 30, "lines.linewidth": 9, "text.usetex": False, "svg.fonttype": "path"}
    ):
        other = one_of_each()
        assert mpl.rcParams["font.size"] == 30, "and they are as they were"
    assert other == one_of_each()


@pytest.mark.parametrize("number", range(3))
def test_a_drawing_acts_on_nothing_outside_of_it_and_fetches_nothing(number):
    figure = one_of_each()[number]
    assert not re.search(r"url\(|<style|<metadata|https?://|font-family|clip-path", figure)
    assert not re.search(r": #[0-9a-f]{6}", figure), "every colour is one of the page's"
    assert {f"--{name}" for name in re.findall(r"var\(--(\w+)\)", figure)} <= set(
        re.findall(r"--\w+", COLOURS)
    )
    assert set(COLOUR) <= {name.removeprefix("--") for name in re.findall(r"--\w+", COLOURS)}


def test_names_in_a_page_are_unique_and_point_somewhere():
    page = "".join(one_of_each())
    names = re.findall(r' id="([^"]+)"', page)
    assert len(names) == len(set(names))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(names)


def test_who_does_not_see_a_drawing_gets_its_title_and_values():
    scatter, bar, row = one_of_each()
    root = drawing(scatter)
    named = {element.attrib["id"]: element.text for element in root if "id" in element.attrib}
    assert root.attrib["role"] == "img"
    assert named[root.attrib["aria-labelledby"]] == "drop of F1 against size, MB"
    assert "three_$x$: 2, 3 [2.5 3.5]" in named[root.attrib["aria-describedby"]]
    assert "AU1 &amp; AU2: float 0.5 [0.4 0.6], INT8 0.6" in bar
    assert "int8, 1 thread: 10 [9.5 11]" in row


def test_text_stays_text_and_axes_have_units():
    scatter, bar, row = map(texts, one_of_each())
    assert {"size, MB", "drop of F1", "tried", "kept", "three_$x$"} <= set(scatter)
    assert {"F1, 0..1", "AU1 & AU2", "0.2", "float", "INT8"} <= set(bar)
    assert {"latency, ms", "int8, 1 thread", "0", "20"} <= set(row)


def marks(figure: str) -> list[ET.Element]:
    """The groups of points, by their hints."""
    return [group for group in drawing(figure).iter("g") if group.find("title") is not None]


def test_points_that_share_a_place_are_rings_around_each_other_with_one_name():
    assert {"one, two", "three_$x$"} <= set(texts(points("", THREE, "x", "y")))
    assert not {"one", "two"} & set(texts(points("", THREE, "x", "y")))
    first, second, third = marks(points("", [*THREE[:2], Point("three", 2, 3)], "x", "y"))
    assert first.find("title").text == "one: 1, 1"
    open_one = "fill-opacity: 0"
    assert open_one in second.find(".//use").attrib["style"]
    assert open_one not in first.find(".//use").attrib["style"] + third.find(".//use").attrib["style"]


def test_names_cover_neither_each_other_nor_points():
    crowd = [Point(f"name {n}", 10 + n % 3 * 0.4, 5 + n // 3 * 0.4) for n in range(9)]
    drawn = drawing(points("", crowd, "x", "y"))
    boxes = []
    for text in drawn.iter("text"):
        if text.text.startswith("name"):
            x, y = float(text.attrib["x"]), float(text.attrib["y"])
            left = {"start": 0, "middle": 0.5, "end": 1}[
                re.search(r"text-anchor: (\w+)", text.attrib["style"] + "; text-anchor: start")[1]
            ]
            boxes.append((x - left * 45, y - 9, x + (1 - left) * 45, y))
    assert len(boxes) == 9
    for number, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:number]:
            assert left >= other[2] or other[0] >= right or top >= other[3] or other[1] >= bottom


def test_a_logarithmic_axis_has_round_marks():
    drawn = texts(points("", [Point("a", 1, 2), Point("b", 1e5, 30)], "x", "y", logarithmic=(True, True)))
    assert {"1", "100", "10,000", "2", "5", "20"} <= set(drawn)


def test_an_unnamed_point_is_named_to_who_points_at_it():
    figure = points(
        "", [Point("layer.1", 0, 5.0, named=False), Point("layer.2", 1, 9.0, named=False)], "x", "y"
    )
    assert [group.find("title").text for group in marks(figure)] == ["layer.1: 0, 5", "layer.2: 1, 9"]
    assert not {"layer.1", "layer.2"} & set(texts(figure))


def test_a_file_of_its_own_has_the_colours_with_it():
    text = svg_file(one_of_each()[0])
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme: dark" in text
    with pytest.raises(ValueError, match="no drawing"):
        svg_file("<p>no</p>")
