"""``edgeau-explain``: pictures and a page of where a network reads each AU."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau import Pipeline, __version__
from edgeau._system.command import DONE, PARTLY, CommandParser, print_json, run
from edgeau._system.records import to_dict
from edgeau._system.text_table import aligned_lines
from edgeau.action_units.names import facs_name
from edgeau.errors import InputError, UsageError, UserError
from edgeau.stages import FrameStages
from edgeau_apps.analyze.inputs import find_inputs, loaded_for
from edgeau_apps.analyze.outputs import Outputs
from edgeau_apps.explain.evidence import BundleEvidence, CheckpointEvidence, EvidenceSource, overlay
from edgeau_apps.explain.finding import FoundCrop, crops_of
from edgeau_apps.explain.regions import region_mask, region_name
from edgeau_export.report.html.html import document, paragraph, picture, section, table
from edgeau_training.evaluation.inner_answers import InnerTable

__all__ = ["main"]

NAME = "edgeau-explain"
_DESCRIPTION = """\
Show where in a face a network reads each action unit (AU).

For a bundle, one patch of the aligned face after the other is hidden
(occlusion): warm places raise the probability of an AU, cold ones lower it. For
a checkpoint the gradient of the logits is used, which needs torch. In a video
each AU is explained in the frame in which it is strongest.

DIR gets a picture of each face and AU, and index.html with all of them. For
each AU the page gives the share of the map within the part of the face where
that AU shows, beside that part's share of the crop, which is what an even map
would have. Only the network is explained, not the landmark model.

Exit code: 0 all done, 1 some inputs failed (named on stderr), 2 nothing could
be done."""
_FOLDED = 6  # crops beyond which sections of the page are folded
_CORRELATED = 8  # faces at the least whose probabilities are correlated
_PAIRS = 12  # of AUs that are shown at the most


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    return run(NAME, _explain, argv)


@dataclass(frozen=True)
class _Row:
    """The figures of one AU of one face and its picture; shares are 0..1, None for a label without a region."""

    title: str
    label: str
    file: str
    probability: float
    inside: float | None
    area: float | None
    drawn: bytes

    def to_dict(self) -> dict[str, Any]:
        return {
            "face": self.title,
            "label": self.label,
            "file": self.file,
            "probability": round(self.probability, 4),
            "region": region_name(self.label),
            "share_inside": None if self.inside is None else round(self.inside, 4),
            "area_of_region": None if self.area is None else round(self.area, 4),
        }


@dataclass(frozen=True)
class _Inner:
    """Attention, edges and shares on the way to the answers to one face.

    Attributes:
        title: the face.
        pictures: file, caption and PNG of each.
        tables: edges and shares.
    """

    title: str
    pictures: tuple[tuple[str, str, bytes], ...]
    tables: tuple[InnerTable, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "face": self.title,
            "pictures": [{"file": file, "title": caption} for file, caption, _ in self.pictures],
            "tables": [to_dict(table) for table in self.tables],
        }


def _parser() -> CommandParser:
    parser = CommandParser(NAME, _DESCRIPTION, f"{NAME} default portrait.jpg --out explained")
    parser.add_argument(
        "model", metavar="MODEL", help="default, light, a bundle's folder, or a checkpoint (.safetensors)"
    )
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="a picture, a video, a folder, a pattern, or clip"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the pictures and the page"
    )
    parser.add_argument("--aus", metavar="LIST", help="only these AUs, such as AU4,AU12 (default: all)")
    parser.add_argument(
        "--artifact",
        metavar="SEL",
        help="artifact of a bundle: onnxruntime, int8, ... or a file (default: the fastest on this machine)",
    )
    parser.add_json()
    return parser


def _explain(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    found = find_inputs(arguments.inputs)
    failed = [f"{refused.name}: {refused.why}" for refused in found.refused]
    if not found.inputs:
        raise InputError("; ".join(failed) or "there is nothing to explain")
    source, pipeline = loaded_for(found.inputs, lambda: _open(arguments.model, arguments.artifact))
    with pipeline:
        wanted = _wanted(arguments.aus, source.labels)
        rows: list[_Row] = []
        inner: list[_Inner] = []
        for item in found.inputs:
            try:
                for crop in crops_of(item, pipeline, source.alignment):
                    rows += _rows(crop, source, wanted)
                    inner += _inner(crop, source)
            except UserError as error:  # noqa: PERF203 - one bad input does not end the others
                failed.append(str(error))
    for line in failed:
        print(f"{NAME}: {line}", file=sys.stderr)
    if not rows:
        raise InputError("no face was explained, nothing was written")
    _write(arguments.out, rows, inner, arguments.model, source.method)
    if arguments.json:
        print_json(
            {
                "method": source.method,
                "rows": [row.to_dict() for row in rows],
                "together": [{"aus": list(pair), "correlation": value} for pair, value in _together(rows)],
                "inner": [one.to_dict() for one in inner],
                "failed": failed,
            }
        )
    else:
        for line in _summary(rows):
            print(line)
        print(f"{arguments.out / 'index.html'} shows them")
    return PARTLY if failed else DONE


def _open(model: str, artifact: str | None) -> tuple[EvidenceSource, Pipeline]:
    """The network to ask, and a pipeline that finds faces: the bundle's own, or the packaged one for a checkpoint."""
    if Path(model).suffix == ".safetensors":
        if artifact is not None:
            raise UsageError("--artifact chooses among the files of a bundle; a checkpoint has none")
        return CheckpointEvidence(Path(model)), Pipeline.load(experimental=True)
    stages = FrameStages.load(model, artifact=artifact, experimental=True)
    return BundleEvidence(stages.detector), Pipeline(stages)


def _wanted(text: str | None, labels: Sequence[str]) -> tuple[str, ...]:
    if text is None:
        return tuple(labels)
    wanted = tuple(part.strip() for part in text.split(","))
    unknown = [label for label in wanted if label not in labels]
    if unknown:
        raise UsageError(f"--aus: the model has no {', '.join(unknown)}; it has {', '.join(labels)}")
    return wanted


def _rows(found: FoundCrop, source: EvidenceSource, wanted: Sequence[str]) -> Iterator[_Row]:
    shown = [label for label in wanted if found.labels is None or label in found.labels]
    if not shown:
        return
    evidence = source.explain(found.crop)
    for label in shown:
        column = source.labels.index(label)
        values = evidence.maps[column]
        region = region_mask(label, found.points, source.alignment.shape)
        inside, area = (None, None) if region is None else _shares(values, region)
        _, drawn = cv2.imencode(".png", overlay(found.crop, values, region))
        file = f"{found.stem}.{label}.png"
        yield _Row(
            found.title, label, file, float(evidence.probabilities[column]), inside, area, drawn.tobytes()
        )


def _inner(found: FoundCrop, source: EvidenceSource) -> Iterator[_Inner]:
    pictures, tables = source.inner(found.crop)
    if not pictures and not tables:
        return
    drawn = []
    for one in pictures:
        _, content = cv2.imencode(".png", overlay(found.crop, one.values, None))
        drawn.append((f"{found.stem}.inner.{one.name}.png", one.title, content.tobytes()))
    yield _Inner(found.title, tuple(drawn), tuple(tables))


def _together(rows: Sequence[_Row]) -> list[tuple[tuple[str, str], float]]:
    """Pairs of AUs by the correlation of their probabilities over the faces, the strongest first; none of too few faces."""
    labels = list(dict.fromkeys(row.label for row in rows))
    faces: dict[str, dict[str, float]] = {}
    for row in rows:
        faces.setdefault(row.title, {})[row.label] = row.probability
    whole = [face for face in faces.values() if len(face) == len(labels)]
    if len(whole) < _CORRELATED or len(labels) < 2:
        return []
    answers = np.array([[face[label] for label in labels] for face in whole])
    moving = answers.std(axis=0) > 0
    kept = [label for label, moves in zip(labels, moving, strict=True) if moves]
    matrix = np.atleast_2d(np.corrcoef(answers[:, moving], rowvar=False))
    pairs = [
        ((kept[first], kept[second]), round(float(matrix[first, second]), 3))
        for first in range(len(kept))
        for second in range(first + 1, len(kept))
    ]
    return sorted(pairs, key=lambda pair: -abs(pair[1]))[:_PAIRS]


def _shares(values: NDArray[np.float32], region: NDArray[np.bool_]) -> tuple[float, float]:
    """Share of a map's absolute values in a region, and share of the region in the crop; 0..1."""
    size = (values.shape[1], values.shape[0])
    weights = cv2.resize(region.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    total = float(np.abs(values).sum()) or 1.0
    return float((np.abs(values) * weights).sum()) / total, float(region.mean())


def _write(folder: Path, rows: Sequence[_Row], inner: Sequence[_Inner], model: str, method: str) -> None:
    drawn = [(row.file, row.drawn) for row in rows]
    drawn += [(file, content) for one in inner for file, _, content in one.pictures]
    with Outputs(folder) as outputs:
        for file, content in drawn:
            place = outputs.place(file)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        outputs.open_text("index.html").write(_page(rows, inner, model, method))
        outputs.commit()


_HEAD = ("AU", "part of the face", "share inside, % of the map", "area, % of the crop")


def _page(rows: Sequence[_Row], inner: Sequence[_Inner], model: str, method: str) -> str:
    titles = list(dict.fromkeys(row.title for row in rows))
    how = (
        "warm: hiding this place lowers the answer; cold: hiding it raises the answer"
        if method == "occlusion"
        else "warm: the answer changes with these pixels (gradient)"
    )
    sections = [
        section(
            "How to read the pictures",
            paragraph(
                f"By {method}. {how[0].upper()}{how[1:]}; white: outline of the part in which the AU shows."
            ),
            paragraph(
                "Share inside is the part of the map, in absolute values, that lies within the outline; the area is the part of "
                "the crop that the outline takes, which is what an even map would give. The network alone is explained: what a "
                "bundle adds from landmarks is not in the pictures."
            ),
            table(
                _HEAD,
                [
                    (label, region_name(label) or "-", _percent(inside), _percent(area))
                    for label, inside, area in _means(rows)
                ],
            ),
        )
    ]
    for title in titles:
        pictures = [
            picture(row.drawn, f"where {row.label} is read in {title}", _caption(row))
            for row in rows
            if row.title == title
        ]
        sections.append(
            section(title, f'<div class="gallery">{"".join(pictures)}</div>', folded=len(titles) > _FOLDED)
        )
    sections += [_inner_section(one) for one in inner]
    if together := _together(rows):
        sections.append(
            section(
                "AUs that come together",
                paragraph(
                    "Correlation of the probabilities over these faces, the strongest pairs. It is what the network answered on them, "
                    "and holds for no others."
                ),
                table(
                    ("AU", "AU", "correlation, -1..1"), [(*pair, f"{value:+.2f}") for pair, value in together]
                ),
            )
        )
    return document(f"Where {model} reads action units", f"edgeau {__version__}, edgeau-explain", sections)


def _inner_section(one: _Inner) -> str:
    pictures = "".join(
        picture(content, f"{caption} in {one.title}", caption) for _, caption, content in one.pictures
    )
    tables = [f"<h3>{each.title}</h3>{table(each.head, each.rows)}" for each in one.tables]
    gallery = f'<div class="gallery">{pictures}</div>' if pictures else ""
    return section(f"On the way to the answers: {one.title}", gallery, *tables, folded=True)


def _caption(row: _Row) -> str:
    name = facs_name(row.label)
    text = f"{row.label}{'' if name == row.label else f' {name}'}: network {row.probability:.2f}"
    return text if row.inside is None else f"{text}, {row.inside:.0%} inside {row.area:.0%}"


def _means(rows: Sequence[_Row]) -> Iterator[tuple[str, float | None, float | None]]:
    for label in dict.fromkeys(row.label for row in rows):
        known = [row for row in rows if row.label == label and row.inside is not None]
        if known:
            yield (
                label,
                float(np.mean([row.inside or 0.0 for row in known])),
                float(np.mean([row.area or 0.0 for row in known])),
            )
        else:
            yield label, None, None


def _summary(rows: Sequence[_Row]) -> Iterator[str]:
    cells = [
        (label, region_name(label) or "-", _percent(inside), _percent(area))
        for label, inside, area in _means(rows)
    ]
    yield from aligned_lines([_HEAD, *cells])


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


if __name__ == "__main__":
    raise SystemExit(main())
