"""How the weights of a float network are stored, and how wide the activations of a quantized one are."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PRECISIONS", "Precision"]


@dataclass(frozen=True)
class Precision:
    """One way to write a network.

    Attributes:
        quantized: starts from a Q/DQ graph; its integers are kept.
        weights: of float kernels: ``"float32"``; ``"float16"`` or ``"int8"``, which the runtime widens when it loads the file.
        hybrid: float activations meet int8 weights in the kernel itself (dynamic range), where such a kernel exists.
        sixteen_bit: activations are int16 instead of int8.
    """

    quantized: bool = False
    weights: str = "float32"
    hybrid: bool = False
    sixteen_bit: bool = False


PRECISIONS = {
    "fp32": Precision(),
    "fp16": Precision(weights="float16"),
    "weight8": Precision(weights="int8"),
    "dynamic": Precision(weights="int8", hybrid=True),
    "int8": Precision(quantized=True),
    "w8a16": Precision(quantized=True, sixteen_bit=True),
}
