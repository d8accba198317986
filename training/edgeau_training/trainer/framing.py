"""Framing of a face: how one on disk becomes a network's input, in training and on the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgeau.bundle.manifest import InputSpec
from edgeau.errors import UsageError
from edgeau.faces.alignment import Alignment, ArcFaceTemplate, WholePicture
from edgeau_training.augmentation import CropView
from edgeau_training.datasets.aligners import Aligner
from edgeau_training.networks.catalogue import network_facts

__all__ = ["Framing", "framing_of"]

# Ships as crops that its makers aligned by the template of face recognition, whatever the network was made for.
_ARCFACE_SETS = ("aff-wild2",)


@dataclass(frozen=True)
class Framing:
    """Crop, view and input of a network on a data set.

    Attributes:
        alignment: what the device does; goes into the checkpoint.
        canvas: side of the stored crops, pixels.
        field: central pixels of them that the device will see.
        input: input of the network.
    """

    alignment: Alignment
    canvas: int
    field: float
    input: InputSpec

    @property
    def arcface(self) -> bool:
        """True where faces are aligned by the template of face recognition."""
        return isinstance(self.alignment, ArcFaceTemplate)

    @property
    def aligner(self) -> Aligner:
        """Makes the stored crops."""
        if isinstance(self.alignment, WholePicture):
            return WholePicture(height=self.canvas, width=self.canvas)
        return (
            ArcFaceTemplate(self.canvas) if self.arcface else Alignment(size=self.canvas, canvas=self.canvas)
        )

    @property
    def view(self) -> CropView:
        """View that the device will have."""
        return CropView(self.input.size[0], self.field, self.canvas)

    def view_of(self, pixels: int, field: float) -> CropView:
        """A training view; 0 takes what the device will see."""
        return CropView(pixels or self.input.size[0], field or self.field, self.canvas)


def framing_of(
    network: str, options: Mapping[str, Any], data_set: str, canvas: int = 0, *, align: bool = True
) -> Framing:
    """The framing of a network on a data set.

    A five-point box keeps its own canvas. The template of face recognition has none around it: its whole crop is what the
    device sees, and a larger stored one only serves random cuts.

    Args:
        network: name in the zoo.
        options: options of its builder.
        data_set: as a recipe names it.
        canvas: side of the stored crops, or 0.
        align: False takes whole pictures, scaled, and looks for no face.

    Raises:
        UsageError: the network is not known, or the canvas is smaller than its input.
    """
    facts = network_facts(network, **options)
    size = facts.input.size[0]
    template = facts.alignment
    if not align:
        template, side = WholePicture(height=size, width=size), canvas or size
        field = float(side)
    elif data_set in _ARCFACE_SETS or isinstance(template, ArcFaceTemplate):
        template, side = ArcFaceTemplate(size), canvas or size
        field = float(side)
    else:
        assert isinstance(template, Alignment)
        side = canvas or template.canvas
        field = side * size / template.canvas
    if side < size:
        raise UsageError(f"canvas {side} is smaller than the {size} pixels that {network} takes")
    return Framing(template, side, field, facts.input)
