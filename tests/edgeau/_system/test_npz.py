from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edgeau._system.npz import read_npz
from edgeau.errors import NpzError


def header(shape: str, descr: str = "|u1") -> bytes:
    """The start of an ``.npy`` file that announces an array."""
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_every_kind_of_array_comes_back(tmp_path: Path, save) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    arrays = {
        "crops": rng.integers(0, 255, (3, 4, 4, 3), dtype=np.uint8),
        "columns first": np.asfortranarray(rng.random((3, 5))),
        "present": rng.random((3, 2)) < 0.5,
        "text": np.array("where it comes from"),
        "labels": np.array(["AU1", "AU12"]),
        "nothing": np.empty((0, 478, 3), np.float32),
        "number": np.array(7),
        "logits/model.onnx": rng.random((3, 2), np.float32),
    }
    save(tmp_path / "a.npz", **arrays)
    read = read_npz(tmp_path / "a.npz")
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(read[name], array)
        read[name][...] = read[name]  # they may be written to, as those of numpy.load


def test_every_cut_is_named(tmp_path: Path) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, a=np.arange(1000))
    whole = content.getvalue()
    for length in range(0, len(whole), 37):
        (tmp_path / "cut.npz").write_bytes(whole[:length])
        with pytest.raises(NpzError):
            read_npz(tmp_path / "cut.npz")


def test_no_flipped_byte_gives_other_numbers(tmp_path: Path) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, a=np.arange(300))
    whole = content.getvalue()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        (tmp_path / "flipped.npz").write_bytes(damaged)
        try:
            arrays = read_npz(tmp_path / "flipped.npz")
        except NpzError:
            continue
        assert all((array == np.arange(300)).all() for array in arrays.values())


def test_a_file_that_unpacks_far_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "bomb.npz", a=header("(50000000,)") + bytes(50_000_000))
    assert bomb.stat().st_size < 100_000
    with pytest.raises(NpzError, match="unpack to 50,000,128 bytes; 1,000,000 are allowed"):
        read_npz(bomb, limit=1_000_000)


@pytest.mark.parametrize("shape", ["(1000000000000,)", "(3,)", "(1 << 70,)", "(-1,)"])
def test_a_header_that_lies_takes_no_memory(tmp_path: Path, shape: str) -> None:
    with pytest.raises(NpzError):
        read_npz(zipped(tmp_path / "lie.npz", a=header(shape) + bytes(8)))


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    with pytest.raises(NpzError, match="pickles"):
        read_npz(tmp_path / "objects.npz")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.zeros(1), b=np.zeros(1))
    with pytest.raises(NpzError, match="it lacks crops; it has a, b"):
        read_npz(tmp_path / "a.npz", required=("a", "crops"))
    with pytest.raises(NpzError, match="there is no such file"):
        read_npz(tmp_path / "none.npz")
    with pytest.raises(NpzError, match="directory"):
        read_npz(tmp_path)
    np.save(tmp_path / "single.npy", np.zeros(3))
    with pytest.raises(NpzError):
        read_npz(tmp_path / "single.npy")


def test_a_file_that_numpy_does_not_write_so_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("crops.npy", header("(3,)") + bytes(3))
    with pytest.raises(NpzError, match="uses a compression method that is not supported"):
        read_npz(tmp_path / "a.npz")
