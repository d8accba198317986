"""High dynamic range and wide gamuts come out as an sRGB display shows them: films by their tags, pictures by their profiles."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.errors import DependencyError, InputError
from edgeau.sources import open_source
from edgeau.sources import video as video_module
from edgeau.sources.display_colours import display_colours
from edgeau.sources.icc import read_profile
from edgeau.sources.picture_file import read_picture
from tests.edgeau.sources.films import film_of, times_and_images

needs_av = pytest.mark.skipif(not video_module.find_spec("av"), reason="PyAV is not installed")

# BT.709 RGB to BT.2020 RGB (ITU-R BT.2087, section 2, M1), and to Display P3 (SMPTE EG 432-1).
TO_BT2020 = np.array(((0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956)))
TO_P3 = np.array(((0.82246, 0.17754, 0), (0.03319, 0.96681, 0), (0.01708, 0.07240, 0.91052)))


def patches() -> np.ndarray:
    """BGR, uint8 (120, 160, 3): greys, skins and colours up to seven tenths of white's light, in blocks."""
    rng = np.random.default_rng(5)
    colours = rng.integers(16, 215, (12, 16, 3))
    colours[:2] = colours[:2, :, :1]
    colours[2:4] = rng.integers(0, 60, (2, 16, 1)) + np.array((110, 130, 150))
    return np.kron(colours, np.ones((10, 10, 1))).astype(np.uint8)


def light_of(image: np.ndarray) -> np.ndarray:
    """Linear RGB 0..1 of BGR in sRGB (IEC 61966-2-1)."""
    value = image[:, :, ::-1] / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def pq(light: np.ndarray) -> np.ndarray:
    """Values for light in candela a square metre (SMPTE ST 2084)."""
    power = (light / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hlg(light: np.ndarray) -> np.ndarray:
    """Values for what a display of 1,000 candela shows (ITU-R BT.2100, table 5)."""
    shown = light / 1000
    luminance = shown @ np.array((0.2627, 0.6780, 0.0593))
    scene = shown * np.maximum(luminance, 1e-9)[..., None] ** (1 / 1.2 - 1)
    curve = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), curve)


def stored(value: np.ndarray) -> np.ndarray:
    """RGB 0..1 as BGR of 16 bits."""
    return np.rint(value[:, :, ::-1].clip(0, 1) * 65535).astype(np.uint16)


def high(kind: str) -> np.ndarray:
    """The patches as a film of high dynamic range has them, white being 203 candela."""
    light = 203 * light_of(patches()) @ TO_BT2020.T
    return stored((pq if kind == "pq" else hlg)(light))


@pytest.mark.parametrize(("kind", "transfer"), [("pq", 16), ("hlg", 18)])
def test_high_dynamic_range_below_white_is_what_it_was(kind: str, transfer: int) -> None:
    shown = display_colours(high(kind), transfer, 9)
    assert np.abs(shown.astype(int) - patches()).max() <= 2


def test_what_is_brighter_than_white_stays_in_order_and_keeps_its_hue() -> None:
    light = np.geomspace(50, 4000, 64)[None, :, None] * np.array((1.0, 0.6, 0.3))
    shown = display_colours(stored(pq(light)), 16, 1).astype(int)
    assert (np.diff(shown[0, :, 2]) >= 0).all()
    assert shown.max() <= 255
    linear = light_of(shown.astype(np.uint8))[0]
    assert linear[:, 1] / linear[:, 0] == pytest.approx(0.6, abs=0.05)


TAGS = {"pq": "smpte2084", "hlg": "arib-std-b67"}


def tagged(path: Path, image: np.ndarray, transfer: str, primaries: str, *codec: str) -> Path:
    convert = (
        "scale=out_color_matrix=bt2020:out_range=tv:flags=accurate_rnd+full_chroma_int,format=yuv444p10le"
    )
    tags = (
        "-color_primaries",
        primaries,
        "-color_trc",
        transfer,
        "-colorspace",
        "bt2020nc",
        "-color_range",
        "tv",
    )
    return film_of([image] * 3, path, "-vf", convert, *codec, *tags)


@needs_av
@pytest.mark.parametrize("kind", ["pq", "hlg"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_films_of_high_dynamic_range_look_as_ordinary_ones(tmp_path: Path, kind: str, suffix: str) -> None:
    codec = ("-c:v", "libx265", "-crf", "4", "-x265-params", "log-level=none", "-tag:v", "hvc1")
    codec = codec[:-2] if suffix == ".mkv" else codec
    path = tagged(tmp_path / f"a{suffix}", high(kind), TAGS[kind], "bt2020", *codec)
    for image in times_and_images(path)[1]:
        assert np.abs(image.astype(int) - patches()).mean() < 4


@needs_av
def test_a_wide_gamut_becomes_srgbs(tmp_path: Path) -> None:
    light = light_of(patches()) @ TO_BT2020.T
    values = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    path = tagged(tmp_path / "a.mkv", stored(values), "bt2020-10", "bt2020", "-c:v", "ffv1")
    assert np.abs(times_and_images(path)[1][0].astype(int) - patches()).mean() < 1.5


@pytest.mark.parametrize("kind", ["pq", "hlg"])
def test_without_pyav_they_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    codec = ("-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1")
    path = tagged(tmp_path / "a.mp4", high(kind), TAGS[kind], "bt2020", *codec)
    monkeypatch.setattr(video_module, "find_spec", lambda _: None)
    with pytest.raises(DependencyError, match=r"high dynamic range.*edgeau\[video\]"):
        open_source(path)


@needs_av
def test_colours_that_cannot_be_shown_are_named(tmp_path: Path) -> None:
    path = film_of(
        [patches()] * 2, tmp_path / "a.mkv", "-pix_fmt", "yuv444p", "-c:v", "ffv1", "-colorspace", "ycgco"
    )
    with (
        open_source(path) as source,
        pytest.raises(InputError, match=r"colours that are not supported.*convert it"),
    ):
        list(source)


def profile_of(to_xyz: np.ndarray, curve: bytes) -> bytes:
    """An ICC profile of three primaries (columns, XYZ under D50) and one curve (ICC.1:2022)."""

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    content = {
        **{
            name: b"XYZ \0\0\0\0" + b"".join(map(number, column))
            for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), to_xyz.T, strict=True)
        },
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    place, table, body = 132 + 12 * len(content), struct.pack(">I", len(content)), b""
    for name, value in content.items():
        table += name + struct.pack(">II", place + len(body), len(value))
        body += value + b"\0" * (-len(value) % 4)
    head = bytearray(128)
    head[:4] = struct.pack(">I", place + len(body))
    head[8:12], head[12:24], head[36:40] = b"\x04\0\0\0", b"mntrRGB XYZ ", b"acsp"
    head[68:80] = b"".join(map(number, (0.9642, 1.0, 0.8249)))
    return bytes(head) + table + body


SRGB_XYZ = np.array(((0.4360, 0.3851, 0.1431), (0.2225, 0.7169, 0.0606), (0.0139, 0.0971, 0.7141)))
SRGB_CURVE = b"para\0\0\0\0\0\3\0\0" + struct.pack(
    ">5i", *(round(65536 * number) for number in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
)
GAMMA_22 = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256))
TABLE_18 = (
    b"curv\0\0\0\0"
    + struct.pack(">I", 1024)
    + np.rint(np.linspace(0, 1, 1024) ** 1.8 * 65535).astype(">u2").tobytes()
)
CURVES = {
    "srgb": (
        SRGB_CURVE,
        lambda light: np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055),
    ),
    "2.2": (GAMMA_22, lambda light: light ** (256 / round(2.2 * 256))),
    "1.8": (TABLE_18, lambda light: light ** (1 / 1.8)),
}


def p3(curve: str) -> tuple[bytes, np.ndarray]:
    """A profile with the primaries of Display P3, and the patches in it: BGR, 0..1."""
    content, encode = CURVES[curve]
    profile = profile_of(SRGB_XYZ @ np.linalg.inv(TO_P3), content)
    return profile, encode((light_of(patches()) @ TO_P3.T).clip(0, 1))[:, :, ::-1]


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("png", {}),
        ("jpg", {"quality": 98, "subsampling": 0}),
        ("webp", {"lossless": True}),
        ("tiff", {}),
        ("avif", {"quality": 95, "subsampling": "4:4:4"}),
    ],
)
def test_colour_profiles_are_applied(
    tmp_path: Path, curve: str, suffix: str, options: dict[str, object]
) -> None:
    image = pytest.importorskip("PIL.Image")
    if f".{suffix}" not in image.registered_extensions():
        pytest.skip(f"this Pillow has no {suffix.upper()}")
    profile, values = p3(curve)
    picture = image.fromarray(np.ascontiguousarray(np.rint(255 * values)[:, :, ::-1]).astype(np.uint8))
    picture.save(tmp_path / f"a.{suffix}", icc_profile=profile, **options)
    shown = read_picture(tmp_path / f"a.{suffix}").astype(int)
    assert np.abs(shown - patches()).mean() < (1 if suffix in ("png", "webp", "tiff") else 2)
    assert np.abs(np.rint(255 * values) - patches()).mean() > 2, "the test could not tell"


def test_profiles_are_applied_as_littlecms_applies_them(tmp_path: Path) -> None:
    image, cms = pytest.importorskip("PIL.Image"), pytest.importorskip("PIL.ImageCms")
    profile, values = p3("srgb")
    picture = image.fromarray(np.ascontiguousarray(np.rint(255 * values)[:, :, ::-1]).astype(np.uint8))
    picture.save(tmp_path / "a.png", icc_profile=profile)
    right = cms.profileToProfile(
        picture, cms.ImageCmsProfile(io.BytesIO(profile)), cms.createProfile("sRGB"), 1
    )
    assert np.abs(read_picture(tmp_path / "a.png").astype(int) - np.asarray(right)[:, :, ::-1]).max() <= 2


def with_chunks(png: bytes, **chunks: bytes) -> bytes:
    """A PNG that says more behind its header (PNG, third edition, section 5.3)."""
    more = b"".join(
        struct.pack(">I", len(content))
        + name.encode()
        + content
        + struct.pack(">I", zlib.crc32(name.encode() + content))
        for name, content in chunks.items()
    )
    return png[:33] + more + png[33:]


def test_profiles_of_16_bits(tmp_path: Path) -> None:
    pytest.importorskip("PIL.Image")
    profile, values = p3("2.2")
    plain = cv2.imencode(".png", np.rint(65535 * values).astype(np.uint16))[1].tobytes()
    content = with_chunks(plain, iCCP=b"P3\0\0" + zlib.compress(profile))
    (tmp_path / "a.png").write_bytes(content)
    assert np.abs(read_picture(tmp_path / "a.png").astype(int) - patches()).max() <= 1


@pytest.mark.parametrize("claimed", [70_000, 3_000_000_000])
def test_a_curve_takes_memory_for_what_is_there_and_not_for_what_it_claims(claimed: int) -> None:
    """A curve of more values than the format has; where the file is shorter than that it is damaged."""
    curve = (
        b"curv\0\0\0\0" + struct.pack(">I", claimed) + np.linspace(0, 65535, 70_000).astype(">u2").tobytes()
    )
    profile = read_profile(profile_of(SRGB_XYZ, curve))
    assert (profile is None) is (claimed > 70_000)


@pytest.mark.filterwarnings("error")
def test_a_curve_without_an_end_is_refused_without_a_word() -> None:
    assert read_profile(profile_of(SRGB_XYZ, b"para\0\0\0\0\0\0\0\0" + struct.pack(">i", -65536))) is None


@pytest.mark.parametrize(
    "profile", [b"", b"acsp", profile_of(SRGB_XYZ, SRGB_CURVE), profile_of(SRGB_XYZ, SRGB_CURVE)[:200]]
)
def test_srgb_and_what_is_no_profile_change_nothing(profile: bytes) -> None:
    assert read_profile(profile) is None


def test_profiles_of_random_bytes_change_nothing_or_something_but_never_raise() -> None:
    rng, whole = np.random.default_rng(0), profile_of(SRGB_XYZ @ np.linalg.inv(TO_P3), TABLE_18)
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 20):
            damaged[place] = rng.integers(256)
        found = read_profile(bytes(damaged))
        assert found is None or (np.isfinite(found.matrix).all() and np.isfinite(found.curves).all())


@pytest.mark.parametrize("transfer", [16, 18])
def test_png_of_high_dynamic_range_is_named(tmp_path: Path, transfer: int) -> None:
    plain = cv2.imencode(".png", patches().astype(np.uint16) * 257)[1].tobytes()
    (tmp_path / "a.png").write_bytes(with_chunks(plain, cICP=bytes((9, transfer, 0, 1))))
    with pytest.raises(InputError, match="high dynamic range"):
        read_picture(tmp_path / "a.png")


def gamma(exponent: float) -> bytes:
    return struct.pack(">I", round(100_000 * exponent))


def chromaticities(*points: float) -> bytes:
    """White, red, green, blue."""
    return struct.pack(">8I", *(round(100_000 * point) for point in points))


P3_POINTS = chromaticities(0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
SRGB_POINTS = chromaticities(0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
# What a PNG says; the primaries and exponent that its values have.
SAID = {
    "linear light": ({"gAMA": gamma(1)}, "709", 1.0),
    "of old Macintoshes": ({"gAMA": gamma(1 / 1.8)}, "709", 1.8),
    "a gamma and sRGB's primaries": ({"gAMA": gamma(1 / 1.8), "cHRM": SRGB_POINTS}, "709", 1.8),
    "primaries of Display P3": ({"cHRM": P3_POINTS}, "P3", None),
    "both": ({"gAMA": gamma(1 / 1.8), "cHRM": P3_POINTS}, "P3", 1.8),
    "coded primaries": ({"cICP": bytes((12, 13, 0, 1))}, "P3", None),
    "coded primaries and others": (
        {"cICP": bytes((12, 13, 0, 1)), "gAMA": gamma(1), "sRGB": b"\0"},
        "P3",
        None,
    ),
    "what every program writes": ({"gAMA": gamma(0.45455), "cHRM": SRGB_POINTS}, "709", None),
    "a camera's gamma": ({"gAMA": gamma(1 / 2.2)}, "709", None),
    "sRGB before a gamma": ({"sRGB": b"\0", "gAMA": gamma(1), "cHRM": P3_POINTS}, "709", None),
    "no gamma at all": ({"gAMA": gamma(0)}, "709", None),
    "chromaticities that are none": ({"cHRM": bytes(32)}, "709", None),
    "chunks that are cut": ({"gAMA": b"\0", "cHRM": b"\0\0"}, "709", None),
}


@pytest.mark.parametrize(("chunks", "primaries", "exponent"), SAID.values(), ids=SAID)
def test_a_png_without_a_profile_is_shown_by_what_else_it_says(
    tmp_path: Path, chunks: dict[str, bytes], primaries: str, exponent: float | None
) -> None:
    light = light_of(patches()) @ (TO_P3.T if primaries == "P3" else np.eye(3))
    value = CURVES["srgb"][1](light.clip(0, 1)) if exponent is None else light.clip(0, 1) ** (1 / exponent)
    plain = cv2.imencode(".png", np.rint(65535 * value[:, :, ::-1]).astype(np.uint16))[1].tobytes()
    (tmp_path / "a.png").write_bytes(with_chunks(plain, **chunks))
    dark = patches() < 40  # 12 bits of linear light are few there
    difference = np.abs(read_picture(tmp_path / "a.png").astype(int) - patches())
    assert difference[~dark].max() <= 2
    assert difference.max() <= 8
