"""Pictures that would fill the memory are refused by what their headers say, before anything is unpacked."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.errors import InputError, UsageError
from edgeau.sources import open_source
from edgeau.sources.check_frame import ENVIRONMENT, check_size, most_pixels
from edgeau.sources.picture_file import decoded_picture, read_picture
from edgeau.sources.picture_header import read_picture_header

LIMIT = 200_000_000


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int) -> bytes:
    """A whole, black PNG of one bit a pixel: a megabyte unpacks to gigabytes."""
    packer = zlib.compressobj(1)
    rows = packer.compress(bytes(height * (1 + (width + 7) // 8))) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width: int, height: int, *, before: bytes = b"", behind: bytes = b"") -> bytes:
    """A JPEG whose frame header says this size, with bytes in front of its segments and behind the first of them."""
    data = bytearray(cv2.imencode(".jpg", np.full((64, 64, 3), 127, np.uint8))[1].tobytes())
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", height, width)
    first = 4 + int.from_bytes(data[4:6], "big")
    return bytes(data[:2]) + before + bytes(data[2:first]) + behind + bytes(data[first:])


DECOY = b"\xff\xc0\x00\x11\x08\x00\x10\x00\x10\x03\x01\x11\x00\x02\x11\x01\x03\x11\x01"
"""A frame header of 16 x 16 pixels."""


def tiff(width: int, height: int, *, order: str = "<", more: tuple[tuple[int, int], ...] = ()) -> bytes:
    """The directory of a TIFF of one strip."""
    numbers = [
        (256, width),
        (257, height),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, height),
        (279, 100),
        *more,
    ]
    entries = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in sorted(numbers))
    start = b"II*\0" if order == "<" else b"MM\0*"
    return start + struct.pack(f"{order}IH", 8, len(numbers)) + entries + bytes(4 + 100)


def webp(kind: str, width: int, height: int) -> bytes:
    if kind == "VP8X":
        body = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    elif kind == "VP8L":
        body = b"\x2f" + (width - 1 | (height - 1) << 14).to_bytes(4, "little") + bytes(5)
    else:
        body = b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)
    content = b"WEBP" + kind.encode().ljust(4) + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(content)) + content


def bmp(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


BOMBS = {
    "a.png": png(30_000, 32_000),
    "b.png": png(20_000, 20_000),
    "a.jpg": jpeg(30_000, 30_000),
    "decoy-before.jpg": jpeg(30_000, 30_000, before=DECOY),
    "decoy-between.jpg": jpeg(30_000, 30_000, behind=DECOY),
    "marker-without-length.jpg": jpeg(30_000, 30_000, before=b"\xff\x01"),
    "filling.jpg": jpeg(30_000, 30_000, before=b"\xff\xff\xff"),
    "between-segments.jpg": jpeg(30_000, 30_000, behind=b"any bytes \xff\x00 at all"),
    "a.tiff": tiff(30_000, 30_000),
    "motorola.tiff": tiff(30_000, 30_000, order=">"),
    "two-widths.tiff": tiff(16, 30_000, more=((256, 30_000),)),
    "tiles.tiff": tiff(64, 64, more=((322, 30_000), (323, 30_000))),
    "a.webp": webp("VP8X", 30_000, 30_000),
    "b.webp": webp("VP8L", 16_000, 16_000),
    "c.webp": webp("VP8 ", 16_000, 16_000),
    "a.bmp": bmp(30_000, 30_000),
    "top-down.bmp": bmp(30_000, -30_000),
    "a.ppm": b"P6 30000 30000 255\n" + bytes(100),
    "comment.pgm": b"P5\n# 16 16\n30000\n#\n30000\n255\n" + bytes(100),
    "bits.pbm": b"P4\n30000 30000\n" + bytes(100),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_by_their_headers(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BOMBS[name])
    with pytest.raises(InputError, match=rf"million; at most 200 million are unpacked.*{ENVIRONMENT}"):
        read_picture(tmp_path / name)


def test_no_bomb_takes_memory(tmp_path: Path) -> None:
    for name, content in BOMBS.items():
        (tmp_path / name).write_bytes(content)
    program = """
import resource, sys
from pathlib import Path
from edgeau.errors import InputError
from edgeau.sources.picture_file import read_picture
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
for path in Path(sys.argv[1]).iterdir():
    try: read_picture(path)
    except InputError: pass
    else: sys.exit(f"{path} was read")
print(peak() - before)
"""
    grown = subprocess.check_output([sys.executable, "-c", program, str(tmp_path)], text=True)
    assert int(grown) < 60


@pytest.mark.parametrize("name", [b"IDAT", b"iCCP", b"tEXt", b"abCd"])
def test_a_part_that_says_more_bytes_than_the_file_has_takes_none(name: bytes) -> None:
    whole = cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes()
    place = whole.index(b"IDAT") - 4
    content = whole[:place] + struct.pack(">I", 0x61000000) + name + whole[place + 8 :]
    with pytest.raises(InputError, match="more bytes than the file has"):
        decoded_picture(content, "a.png")
    # What follows the end is for nobody.
    assert decoded_picture(whole + struct.pack(">I", 0x61000000) + name, "a.png").shape == (64, 64, 3)


def test_a_folder_with_bombs_gives_the_other_pictures(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(BOMBS["a.png"])
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((40, 50, 3), np.uint8))
    (tmp_path / "c.jpg").write_bytes(BOMBS["decoy-before.jpg"])
    names = []
    with open_source(tmp_path) as source, pytest.raises(InputError, match=r"a\.png.*; .*c\.jpg"):
        names.extend(frame.name for frame in source)
    assert names == ["b.png"]


def test_the_jpeg_of_the_report_is_refused(shared_data: Path) -> None:
    source = (shared_data.parent / "cases" / "jpeg_size_bomb.py").read_text()
    start = source.index("def bomb(")
    names = {"cv2": cv2, "np": np}
    exec(source[start : source.index("if __name__")], names)
    for size in (20_000, 30_000):
        with pytest.raises(InputError, match=f"{size} x {size} pixels"):
            decoded_picture(names["bomb"](size, size), "it")


@pytest.mark.parametrize("size", [(33_000, 8), (8, 33_000), (65_000, 1)])
@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".jpg"])
def test_sides_beyond_what_opencv_warps(tmp_path: Path, size: tuple[int, int], suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(cv2.imencode(suffix, np.zeros((*size, 3), np.uint8))[1].tobytes())
    with pytest.raises(InputError, match="at most 32766"):
        read_picture(path)


def test_the_limit_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((40, 50, 3), np.uint8))
    monkeypatch.setenv(ENVIRONMENT, "1999")
    with pytest.raises(InputError, match=r"50 x 40 pixels.*0\.001999 million"):
        read_picture(path)
    monkeypatch.setenv(ENVIRONMENT, "2000")
    assert read_picture(path).shape == (40, 50, 3)
    monkeypatch.setenv(ENVIRONMENT, "1000000000")
    check_size(30_000, 30_000, "it")


@pytest.mark.parametrize("text", ["0", "-5", "many", "1e9", "2.5", "9" * 19, "9" * 5000])
def test_a_limit_that_is_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(ENVIRONMENT, text)
    with pytest.raises(UsageError, match=ENVIRONMENT):
        most_pixels()


def test_the_largest_cameras_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    assert most_pixels() == LIMIT
    check_size(16_320, 12_240, "a phone's picture")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tiff", ".ppm", ".pgm", ".pbm"])
@pytest.mark.parametrize("size", [(1, 1), (7, 13), (480, 640)])
def test_the_size_of_ordinary_pictures_is_read_right(suffix: str, size: tuple[int, int]) -> None:
    image = np.zeros(size if suffix in (".pgm", ".pbm") else (*size, 3), np.uint8)
    data = cv2.imencode(suffix, image)[1].tobytes()
    header = read_picture_header(data)
    assert header is not None
    assert (header.height, header.width) == size


@pytest.mark.parametrize(
    ("format_", "options"),
    [
        ("JPEG", {"progressive": True}),
        ("JPEG", {"quality": 5}),
        ("PNG", {"bits": 4}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"lossless": True, "exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"big_tiff": True}),
        ("BMP", {}),
        ("PPM", {}),
    ],
)
def test_the_size_of_pillows_pictures_is_read_right(format_: str, options: dict[str, object]) -> None:
    image = pytest.importorskip("PIL.Image")
    stream = io.BytesIO()
    image.new("RGB", (37, 23), (10, 200, 30)).save(stream, format_, **options)
    header = read_picture_header(stream.getvalue())
    assert header is not None
    assert (header.width, header.height) == (37, 23)
    assert decoded_picture(stream.getvalue(), "it").shape == (23, 37, 3)


def test_a_size_counts_though_a_later_one_is_cut() -> None:
    frame = b"\xff\xc0\0\x11\x08" + struct.pack(">HH", 50_000, 40_000) + bytes(10)
    header = read_picture_header(b"\xff\xd8" + frame + b"\xff\xc0\0\x11\x08\0")
    assert header is not None
    assert (header.width, header.height) == (40_000, 50_000)


def test_headers_of_random_bytes_never_raise() -> None:
    rng = np.random.default_rng(1)
    for whole in BOMBS.values():
        start = bytearray(whole[:300])
        for _ in range(40):
            damaged = bytearray(start[: rng.integers(4, 300)])
            for place in rng.integers(4, max(5, len(damaged)), 6):
                if place < len(damaged):
                    damaged[place] = rng.integers(256)
            read_picture_header(bytes(damaged))


def whole_tiff(width: int, height: int, form: str, *, decoy: bool) -> bytes:
    """A whole deflated TIFF of RGB whose sides are numbers of this type; with ``decoy`` they come again, small and as shorts."""
    kind = {"B": 1, "H": 3, "I": 4, "b": 6, "h": 8, "i": 9}[form]
    packed = zlib.compress(bytes(width * height * 3))

    def entry(tag: int, kind: int, value: bytes, count: int = 1) -> bytes:
        return struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")

    def short(tag: int, value: int) -> bytes:
        return entry(tag, 3, struct.pack("<H", value))

    def long(tag: int, value: int) -> bytes:
        return entry(tag, 4, struct.pack("<I", value))

    entries = 10 + 2 * decoy
    bits = 8 + 2 + 12 * entries + 4
    directory = [
        entry(256, kind, struct.pack(f"<{form}", width)),
        entry(257, kind, struct.pack(f"<{form}", height)),
        *((short(256, 8), short(257, 8)) if decoy else ()),
        entry(258, 3, struct.pack("<I", bits), 3),
        short(259, 8),
        short(262, 2),
        long(273, bits + 6),
        short(277, 3),
        long(278, height),
        long(279, len(packed)),
        short(284, 1),
    ]
    head = b"II*\0" + struct.pack("<IH", 8, entries) + b"".join(directory) + struct.pack("<I", 0)
    return head + struct.pack("<3H", 8, 8, 8) + packed


@pytest.mark.parametrize("decoy", [False, True])
@pytest.mark.parametrize("form", ["B", "H", "I", "b", "h", "i"])
def test_the_sides_of_a_tiff_are_numbers_of_any_type(
    monkeypatch: pytest.MonkeyPatch, form: str, decoy: bool
) -> None:
    """libtiff takes each, so that a megabyte could unpack to gigabytes behind a side that we did not read."""
    content = whole_tiff(100, 90, form, decoy=decoy)
    assert decoded_picture(content, "it").shape == (90, 100, 3)
    monkeypatch.setenv(ENVIRONMENT, "8999")
    with pytest.raises(InputError, match="100 x 90 pixels"):
        decoded_picture(content, "it")


@pytest.mark.parametrize(
    "head", [b"P5\n#" + b"c" * 5000 + b"\n100 90 255\n", b"P5 000000000000100 00000000000090 255\n"]
)
def test_the_sides_of_a_pnm_are_found_however_they_are_written(
    monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    content = head + bytes(9000)
    assert decoded_picture(content, "it").shape == (90, 100, 3)
    monkeypatch.setenv(ENVIRONMENT, "8999")
    with pytest.raises(InputError, match="100 x 90 pixels"):
        decoded_picture(content, "it")


def test_a_picture_whose_size_is_not_found_is_not_unpacked() -> None:
    with pytest.raises(InputError, match="does not state its size"):
        decoded_picture(b"P5\n#" + b"c" * (1 << 20) + b"\n100 90 255\n" + bytes(9000), "it")


def test_a_file_larger_than_any_picture_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.png"
    with path.open("wb") as file:
        file.write(png(8, 8))
        file.truncate(1 << 40)
    with pytest.raises(InputError, match=r"1,099,511,627,776 bytes.*EDGEAU_MAX_PIXELS"):
        read_picture(path)


def test_a_limit_above_what_a_decoder_knows_lets_films_through(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("av")
    monkeypatch.setenv(ENVIRONMENT, "9" * 18)
    with open_source("clip") as source:
        assert next(iter(source)).image.ndim == 3
