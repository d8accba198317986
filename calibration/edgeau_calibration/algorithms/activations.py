"""Values of a graph's tensors while it runs on crops: exact extremes, and values of each crop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau._system.progress import progress_bar
from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import CalibrationError
from edgeau_calibration.graph.ort_session import open_model
from edgeau_calibration.graph.subgraph import with_outputs

__all__ = ["Activation", "ordinary_crops", "sampled_activations"]

# A crop that reaches so many times farther than the middle one is an accident (a face that was aligned wrongly, say).
_OUTLIER = 2.0
# Share of the tensors in which an ordinary crop is not an outlier.
_MOST = 0.9
# Values kept per crop and tensor: 2048 of 128 crops place a percentile of 99.99 to within a quarter of its bin.
_KEPT = 2048
_FLOAT = "tensor(float)"  # as ONNX Runtime names the type


@dataclass
class Activation:
    """One tensor over all crops.

    Attributes:
        lows: smallest value of each crop.
        highs: largest value of each crop.
        pieces: values of each crop, a seeded choice.
    """

    lows: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)
    pieces: list[NDArray[np.float32]] = field(default_factory=list)

    @property
    def low(self) -> float:
        """Smallest value over all crops."""
        return min(self.lows)

    @property
    def high(self) -> float:
        """Largest value over all crops."""
        return max(self.highs)

    @property
    def values(self) -> NDArray[np.float32]:
        """The kept values of all crops, 1-D."""
        return np.concatenate(self.pieces)

    def without_outliers(self) -> Activation:
        """The same without crops in which the tensor reaches more than twice as far as in the middle one.

        One broken crop can reach 20 times farther than all others, and would make every error among those look small.
        """
        kept = np.flatnonzero(self.ordinary())
        return Activation(*([part[index] for index in kept] for part in (self.lows, self.highs, self.pieces)))

    def ordinary(self) -> NDArray[np.bool_]:
        """For each crop, whether the tensor reaches at most twice as far as in the middle one."""
        reach = np.maximum(np.abs(self.lows), np.abs(self.highs))
        return np.asarray(reach <= _OUTLIER * np.median(reach))

    def add(self, values: NDArray[np.float32]) -> None:
        """Values of one crop, any shape."""
        flat = values.ravel()
        self.lows.append(float(flat.min()))
        self.highs.append(float(flat.max()))
        # By chance: any stride meets rows and columns of some size always at the same place.
        chosen = np.random.default_rng(len(self.lows)).integers(0, flat.size, min(_KEPT, flat.size))
        self.pieces.append(flat[chosen] if flat.size > _KEPT else flat.copy())


def sampled_activations(
    model: onnx.ModelProto, crops: NDArray[np.uint8], spec: InputSpec, names: Iterable[str]
) -> dict[str, Activation]:
    """Run the graph on every crop, one at a time, and sample the named tensors.

    Args:
        model: float graph with one input.
        crops: uint8 ``(n, H, W, 3)`` RGB.
        spec: how the network wants them normalised.
        names: tensors of the graph; its input and outputs may be among them.

    Returns:
        The float ones of them: masks and shapes have no range.

    Raises:
        CalibrationError: a tensor is not finite.
    """
    wanted = list(dict.fromkeys(names))
    entry = model.graph.input[0].name
    session = open_model(with_outputs(model, [name for name in wanted if name != entry]))
    preprocessor = Preprocessor(spec)
    floats = {item.name for item in session.get_outputs() if item.type == _FLOAT}
    outputs = [name for name in wanted if name in floats]
    found = {name: Activation() for name in wanted if name in floats or name == entry}
    for crop in progress_bar(crops, desc="activations", unit="crop"):
        batch = preprocessor.batch([crop])
        for name, values in zip(outputs, session.run(outputs, {entry: batch}), strict=True):
            _check(name, values)
            found[name].add(values)
        if entry in found:
            found[entry].add(batch)
    return found


def ordinary_crops(activations: Mapping[str, Activation]) -> NDArray[np.bool_]:
    """For each crop, whether it is ordinary in most tensors; one broken crop would outweigh all others in second moments."""
    votes = np.mean([activation.ordinary() for activation in activations.values()], axis=0)
    return np.asarray(votes >= _MOST)


def _check(name: str, values: NDArray[np.float32]) -> None:
    if not np.isfinite(values).all():
        raise CalibrationError(
            f"activation {name} is not finite on the calibration crops, so the network itself is broken"
        )
