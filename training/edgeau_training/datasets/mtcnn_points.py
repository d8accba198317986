"""``python -m edgeau_training.datasets.mtcnn_points``: five points of the pictures below a folder, by MTCNN, for ``[data] points``.

MTCNN (Zhang et al., Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks, 2016) is the detector that
SIAT-NTU's paper aligns by. Its networks come with the package ``facenet-pytorch`` (MIT), which pins an old torch and runs with
today's: install it without what it pins.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import write_whole
from edgeau._system.command import DONE, PARTLY, CommandParser, print_json, run
from edgeau._system.progress import progress_bar
from edgeau.errors import DependencyError, InputError
from edgeau.sources.kinds import PICTURES
from edgeau.sources.picture_file import read_picture
from edgeau_training.datasets.point_table import COLUMNS

__all__ = ["Mtcnn", "main"]

NAME = "python -m edgeau_training.datasets.mtcnn_points"


class Mtcnn:
    """MTCNN of ``facenet-pytorch`` on the CPU, with that package's thresholds (.6, .7, .7) and smallest face (20 pixels).

    Raises:
        DependencyError: the package is not installed.
    """

    def __init__(self) -> None:
        try:
            from facenet_pytorch import MTCNN
        except ImportError as error:
            raise DependencyError(
                f"MTCNN cannot be loaded ({error}); install facenet-pytorch with pip's --no-deps, since it pins an old torch"
            ) from error
        self._network = MTCNN(keep_all=True, select_largest=True, device="cpu")

    def points(self, picture: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """Find the largest face.

        Args:
            picture: BGR, ``(H, W, 3)``.

        Returns:
            Pixels, ``(5, 2)``, in the order of :class:`~edgeau_training.datasets.point_table.PointTable`; None without a face.
        """
        _, _, found = self._network.detect(np.ascontiguousarray(picture[..., ::-1]), landmarks=True)
        return None if found is None else np.asarray(found[0], np.float64)


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return run(NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, "Write five points of every picture in a folder, found by MTCNN.",
                           f"{NAME} EmotioNet --out EmotioNet/mtcnn.csv")  # fmt: skip
    parser.add_argument("folder", type=Path, metavar="DIR", help="the data set's folder")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the table")
    parser.add_json()
    arguments = parser.parse_args(argv)
    folder: Path = arguments.folder
    pictures = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)
    if not pictures:
        raise InputError(f"{folder} holds no pictures; give the data set's folder")
    network = Mtcnn()
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    faceless, unreadable = 0, []
    for path in progress_bar(pictures, desc="MTCNN", unit="picture", hidden=arguments.json):
        try:
            picture = read_picture(path)
        except InputError as error:
            unreadable.append(str(error))
            continue
        points = network.points(picture)
        if points is None:
            faceless += 1
        else:
            table.writerow(
                [path.relative_to(folder).as_posix(), *(f"{value:.2f}" for value in points.ravel())]
            )
    write_whole(arguments.out, text.getvalue().encode())
    found = len(pictures) - faceless - len(unreadable)
    if arguments.json:
        print_json(
            {"out": str(arguments.out), "found": found, "without_a_face": faceless, "unreadable": unreadable}
        )
    else:
        print(f"{arguments.out}: {found} of {len(pictures)} pictures with a face")
        print(
            "\n".join(f"left out: {one}" for one in unreadable),
            file=sys.stderr,
            end="\n" if unreadable else "",
        )
    return PARTLY if unreadable else DONE


if __name__ == "__main__":
    sys.exit(main())
