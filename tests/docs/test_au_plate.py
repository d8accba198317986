"""The AU plate has every AU of the packaged models, is small, and its page shows and describes all of it."""

import re
from pathlib import Path

import cv2

from edgeau.action_units.names import DEFAULT, MOVES, NAMES, au_number
from edgeau_training.synth import plate

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "edgeau" / "assets" / "plate"
PAGE = (ROOT / "docs" / "au-plate.md").read_text(encoding="utf-8")


def test_the_plate_is_whole_and_small():
    assert plate.SHOWN == tuple(au_number(label) for label in DEFAULT) == tuple(MOVES)
    assert {path.stem for path in FOLDER.iterdir()} == {"rest", *DEFAULT}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_500_000
    for label in DEFAULT:
        height, width, _ = cv2.imread(str(FOLDER / f"{label}.webp")).shape
        assert height == plate.SIDE
        assert width // height in (4, 5)


def test_the_strip_of_a_smile_moves_the_mouth_more_and_more_and_one_side_alone():
    strip = cv2.imread(str(FOLDER / "AU12.webp")).astype(float)
    side = plate.SIDE
    rest, *shown = (strip[side // 2 :, side * place : side * (place + 1)] for place in range(5))
    moved = [abs(one - rest).mean() for one in shown]
    assert moved[0] < moved[1] < moved[2]
    one_sided = abs(shown[3] - rest).mean((0, 2))
    # The person's own left half lies on the right of the picture.
    assert one_sided[side // 2 :].mean() > 3 * one_sided[: side // 2 - 12].mean()


def test_the_page_shows_and_describes_every_strip():
    rows = re.findall(
        r"^\| AU(\d+) ([^|]+) \| ([^|]+) \| !\[[^\]]+\]\(\.\./edgeau/assets/plate/AU(\d+)\.webp\) \|$",
        PAGE,
        re.MULTILINE,
    )
    assert [int(row[0]) for row in rows] == list(MOVES)
    for number, name, moves, picture in rows:
        assert (name, moves, picture) == (NAMES[int(number)].lower(), MOVES[int(number)], number)
