"""``model.toml``: what edgeau must know of a network that it did not train."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeau.action_units.names import written_label
from edgeau.bundle.checks import LONGEST_SIDE
from edgeau.bundle.manifest import InputSpec, NetworkInfo
from edgeau.bundle.provenance import Provenance
from edgeau.errors import RecordError, UsageError
from edgeau.faces.alignment import Alignment, BoxCrop, FivePointTemplate, WholePicture
from edgeau_export.source_network.network import NetworkDescription
from edgeau_export.source_network.weight_files import weights_digest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["DescribedModel", "read_model_file"]

# No module has to be built for these: the file says what is computed.
COMPLETE = (".onnx", ".pt2", ".torchscript")
_TOP = ("title", "weights", "builder", "labels", "output", "output_name", "ema", "thresholds", "trained")
_TOP_MORE = ("state_dict", "training", "licences", "input", "alignment")
_INPUT = ("size", "color", "mean", "std", "scale", "layout", "dtype")
_ALIGNMENT = {"five-points": ("points",), "box": ("margin",), "none": ()}
_LEVELS = 255


@dataclass(frozen=True)
class DescribedModel:
    """The content of a ``model.toml``, checked.

    Attributes:
        path: path of the file itself; its relative paths start in its folder.
        title: title of the network, for people.
        weights: file with the weights, or with the whole network.
        labels: in output order; AUs (``"AU12"``, ``"AU12L"``) or free words.
        builder: ``"file.py:function"`` or ``"package.module:function"`` that returns the module; None where the file is complete.
        probabilities: whether the network answers with probabilities instead of logits.
        output_name: which output of an ONNX file; None where there is one.
        ema: True takes averaged weights, False the others, None those that are there (the others where both are).
        state_dict: keys that lead to the weights, such as ``"teacher"``, where a file holds several sets that fit; None otherwise.
        thresholds: on the probability per label.
        trained: False for random weights, which everything that shows results then says.
        training: one sentence on what it was trained on.
        licences: licences of the weights.
        input: what the network wants, as a device is told.
        layout: ``"NCHW"`` or ``"NHWC"``, of the network itself.
        uint8: whether the network takes bytes and normalises them itself.
        alignment: the crop.
    """

    path: Path
    title: str
    weights: Path
    labels: tuple[str, ...]
    input: InputSpec
    alignment: Alignment
    builder: str | None = None
    probabilities: bool = False
    output_name: str | None = None
    ema: bool | None = None
    state_dict: str | None = None
    thresholds: dict[str, float] = field(default_factory=dict)
    trained: bool = True
    training: str = "not said in its model.toml"
    licences: tuple[str, ...] = ()
    layout: str = "NCHW"
    uint8: bool = False

    def description(self, parameters: int) -> NetworkDescription:
        """Describe the network, whose weights are so many numbers, as a bundle does."""
        return NetworkDescription(
            network=NetworkInfo(
                name=self.path.stem,
                title=self.title,
                options={},
                parameters=parameters,
                trained=self.trained,
                training=self.training,
                provenance=Provenance(weights=weights_digest(self.weights)),
            ),
            labels=self.labels,
            input=self.input,
            alignment=self.alignment,
            thresholds=self.thresholds,
            licences=self.licences,
        )


def read_model_file(path: Path) -> DescribedModel:
    """Read and check a ``model.toml``.

    Raises:
        UsageError: it is missing, no TOML, or says something that does not fit; the message names file and field.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            f"{path} does not exist; edgeau-export --describe FILE prints one to fill in"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not a TOML file that can be read: {error}") from error
    try:
        return _model_file(path, values)
    except RecordError as error:
        raise UsageError(f"{path}: {error}") from error


def _model_file(path: Path, values: Mapping[str, Any]) -> DescribedModel:
    _known(values, (*_TOP, *_TOP_MORE), "")
    labels = _labels(values)
    weights = path.parent / _text(values, "weights")
    builder = values.get("builder")
    if builder is not None and (not isinstance(builder, str) or ":" not in builder):
        raise RecordError("builder", f'expected "file.py:function" or "module:function", got {builder!r}')
    spec, layout, uint8 = _input(_table(values, "input"))
    output = values.get("output", "logits")
    _one_of("output", output, ("logits", "probabilities"))
    return DescribedModel(
        path=path,
        title=_text(values, "title"),
        weights=weights,
        labels=labels,
        input=spec,
        alignment=_alignment(_table(values, "alignment"), spec.size),
        builder=builder,
        probabilities=output == "probabilities",
        output_name=_optional(values, "output_name", str),
        ema=_optional(values, "ema", bool),
        state_dict=_optional(values, "state_dict", str),
        thresholds=_thresholds(values.get("thresholds"), labels),
        trained=_optional(values, "trained", bool) is not False,
        training=_optional(values, "training", str) or "not said in its model.toml",
        licences=_texts(values, "licences"),
        layout=layout,
        uint8=uint8,
    )


def _labels(values: Mapping[str, Any]) -> tuple[str, ...]:
    found = values.get("labels")
    if not isinstance(found, list) or not found or not all(isinstance(label, str) for label in found):
        raise RecordError("labels", 'expected the outputs in their order, such as ["AU1", "AU12L", "smile"]')
    for label in found:
        # They become columns of tables and keys of JSON: what would break a CSV or be invisible is not a label.
        if not label or not label.isprintable() or label != label.strip() or set(label) & set(',;"/\\'):
            raise RecordError(
                "labels", f"{label!r} cannot be a column of a table; use letters, digits, _ and -"
            )
    labels = [written_label(label) for label in found]  # AU01 is AU1, in tables and to the device
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise RecordError("labels", f"{', '.join(twice)} appears twice")
    return tuple(labels)


def _thresholds(found: Any, labels: tuple[str, ...]) -> dict[str, float]:
    if found is None:
        return dict.fromkeys(labels, 0.5)
    if not isinstance(found, list) or len(found) != len(labels):
        raise RecordError("thresholds", f"expected one number for each of the {len(labels)} labels")
    numbers = [_number(f"thresholds[{place}]", value) for place, value in enumerate(found)]
    if not all(0 <= number <= 1 for number in numbers):
        raise RecordError("thresholds", "they are probabilities, 0 to 1")
    return dict(zip(labels, numbers, strict=True))


def _input(values: Mapping[str, Any]) -> tuple[InputSpec, str, bool]:
    _known(values, _INPUT, "input")
    layout, dtype = values.get("layout", "NCHW"), values.get("dtype", "float32")
    _one_of("input: layout", layout, ("NCHW", "NHWC"))
    _one_of("input: dtype", dtype, ("float32", "uint8"))
    color = values.get("color", "RGB")
    _one_of("input: color", color, ("RGB", "BGR", "GRAY"))
    channels = 1 if color == "GRAY" else 3
    size = values.get("size")
    if not isinstance(size, list) or len(size) != 2 or not all(type(side) is int for side in size):
        raise RecordError("input: size", f"expected [height, width] in pixels, got {size!r}")
    if not all(1 <= side <= LONGEST_SIDE for side in size):
        raise RecordError("input: size", f"a side has 1 to {LONGEST_SIDE} pixels, got {size!r}")
    if dtype == "uint8":
        given = [key for key in ("mean", "std", "scale") if key in values]
        if given:
            raise RecordError(
                f"input: {given[0]}", 'not with dtype = "uint8": such a network normalises its bytes itself'
            )
        scale, mean, std = 1.0, (0.0,) * channels, (1.0,) * channels
    else:
        scale = _number("input: scale", values.get("scale", _LEVELS))
        mean = _channels("input: mean", values.get("mean", [0.0] * channels), channels)
        std = _channels("input: std", values.get("std", [1.0] * channels), channels)
        if min(*std, scale) <= 0:
            raise RecordError("input: std, scale", "they divide, so they must be above 0")
    # (x / scale - mean) / std in the one form that devices know, (x / 255 - mean) / std.
    factor = scale / _LEVELS
    spec = InputSpec(
        size=(size[0], size[1]),
        color=color,
        mean=tuple(value * factor for value in mean),
        std=tuple(value * factor for value in std),
    )
    return spec, layout, dtype == "uint8"


def _alignment(values: Mapping[str, Any], size: tuple[int, int]) -> Alignment:
    kind = values.get("kind")
    _one_of("alignment: kind", kind, tuple(_ALIGNMENT))
    assert isinstance(kind, str)
    _known(values, ("kind", "border", *_ALIGNMENT[kind]), "alignment")
    border = int(_number("alignment: border", values.get("border", 0 if kind != "none" else 128)))
    if not 0 <= border <= _LEVELS:
        raise RecordError("alignment: border", f"must be 0 to 255, got {border}")
    shape = {"height": size[0], "width": size[1]}
    if kind == "none":
        return WholePicture(**shape)
    if kind == "box":
        return BoxCrop(border=border, margin=_number("alignment: margin", values.get("margin", 0.0)), **shape)
    points = values.get("points")
    if not isinstance(points, list) or not all(isinstance(p, list) and len(p) == 2 for p in points):
        raise RecordError("alignment: points", "expected five [x, y]: eyes, nose tip, mouth corners")
    pairs = [(_number("alignment: points", x), _number("alignment: points", y)) for x, y in points]
    return FivePointTemplate(border=border, points=tuple(pairs), **shape)


def _known(values: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in values:
        if name not in names:
            raise RecordError(where, f"unknown field {name!r}; known are {', '.join(names)}")


def _one_of(where: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise RecordError(where, f"{value!r} is not known; known are {', '.join(known)}")


def _text(values: Mapping[str, Any], name: str) -> str:
    found = values.get(name)
    if not isinstance(found, str) or not found:
        raise RecordError(name, "is missing, or not text")
    return found


def _texts(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = values.get(name, [])
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise RecordError(name, f'expected a list of texts, such as ["MIT"], got {found!r}')
    return tuple(found)


def _table(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    if not isinstance(found, dict):
        raise RecordError(
            f"[{name}]", "this table is missing; edgeau-export --describe FILE prints one to fill in"
        )
    return found


def _optional(values: Mapping[str, Any], name: str, kind: Callable[..., Any]) -> Any:
    found = values.get(name)
    if found is not None and not isinstance(found, kind):  # type: ignore[arg-type]  # str or bool
        raise RecordError(name, f"{found!r} is of the wrong type")
    return found


def _number(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RecordError(where, f"expected a number, got {value!r}")
    try:
        number = float(value)
    except OverflowError as error:
        raise RecordError(where, "the number is too large") from error
    if not math.isfinite(number):  # TOML has nan and inf
        raise RecordError(where, f"expected a finite number, got {value!r}")
    return number


def _channels(where: str, value: Any, channels: int) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) != channels:
        raise RecordError(where, f"expected {channels} number{'s' * (channels > 1)}, got {value!r}")
    return tuple(_number(where, item) for item in value)
