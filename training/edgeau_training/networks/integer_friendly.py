"""Stems that small integer processors run well: without squeeze-and-excitation, with activations that are cheap in integers.

SiLU needs an exponential, and its long positive tail takes the levels of 8 bits from its negative lobe; squeeze-and-excitation
reads the whole map before it can scale it. Hard swish is nearly SiLU from products and clips; ReLU6 is a clip alone.
"""

from __future__ import annotations

from torch import nn

from edgeau.errors import UsageError

__all__ = ["ACTIVATIONS", "make_integer_friendly"]

ACTIVATIONS: dict[str, type[nn.Module]] = {"hardswish": nn.Hardswish, "relu6": nn.ReLU6}


def make_integer_friendly(stem: nn.Module, activation: str | None, *, squeeze_excite: bool) -> None:
    """Change a timm stem in place; names and shapes of what is left stay.

    Args:
        stem: with SiLU activations and ``se`` blocks.
        activation: a key of :data:`ACTIVATIONS` that takes the place of SiLU; None leaves it.
        squeeze_excite: keep squeeze-and-excitation.

    Raises:
        UsageError: the activation is not known.
    """
    if activation is not None and activation not in ACTIVATIONS:
        raise UsageError(f"activation {activation!r} is not known; known: {', '.join(ACTIVATIONS)}")
    for module in list(stem.modules()):
        if not squeeze_excite and hasattr(getattr(module, "se", None), "gate"):
            module.se = nn.Identity()
        if activation is None:
            continue
        for name, child in module.named_children():
            if isinstance(child, nn.SiLU):
                setattr(module, name, ACTIVATIONS[activation](inplace=True))
