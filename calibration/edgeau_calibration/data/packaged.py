"""Packs the calibration crops that the package carries: synthetic faces of the default network's training split.

Used as ``python -m edgeau_calibration.data.packaged DATA edgeau/default/calibration.npz``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeau._system.command import DONE, CommandParser, positive, run
from edgeau.errors import CalibrationError
from edgeau_calibration.data.npz import write_jpeg_npz
from edgeau_calibration.data.shards import encoded_crops, shards_in

__all__ = ["COUNT", "FILE", "main", "pack"]

FILE = "calibration.npz"
COUNT = 160  # 128 to measure ranges on, 32 to measure the result on


def main(argv: Sequence[str] | None = None) -> int:
    """Pack crops of a synthetic data set's training split into one file; returns the exit code."""
    return run("edgeau_calibration.data.packaged", _body, argv)


def pack(data: Path, file: Path, count: int = COUNT) -> None:
    """Pack ``count`` crops of a synthetic data set's training split into ``file``.

    Raises:
        CalibrationError: ``data`` is not such a data set.
    """
    shards = shards_in(data)
    if not shards:
        raise CalibrationError(f"{data} holds no shards; give a folder that edgeau-synth wrote")
    files, _ = encoded_crops(shards, count)
    write_jpeg_npz(file, files)


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        "python -m edgeau_calibration.data.packaged",
        "Pack calibration crops of a synthetic data set's training split, as JPEG, into one .npz.",
        "python -m edgeau_calibration.data.packaged data/synth edgeau/default/calibration.npz",
    )
    parser.add_argument("data", type=Path, help="folder that edgeau-synth wrote")
    parser.add_argument("file", type=Path, help=".npz to write")
    parser.add_argument("--count", type=positive, default=COUNT, help="crops (default %(default)s)")
    arguments = parser.parse_args(argv)
    pack(arguments.data, arguments.file, arguments.count)
    print(f"{arguments.file}: {arguments.file.stat().st_size / 1e6:.1f} MB")
    return DONE


if __name__ == "__main__":
    raise SystemExit(main())
