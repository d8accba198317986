"""Starting weights that several networks share."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

__all__ = ["he_normal", "quieten_residuals"]


def he_normal(network: nn.Module) -> None:
    """Convolutions He-normal over their fan-out (He et al. 2015), batch norms at 1 and 0; all else stays as it is.

    Ours where a paper starts from pretrained weights and so is silent on how to start without them.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and module.affine:
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


def quieten_residuals(last_norms: Sequence[nn.BatchNorm2d]) -> None:
    """Starts each of n residual branches at 1 / sqrt(n), by the scale of its last batch norm.

    Ours: before batch norms know statistics, a sum of full branches doubles its variance in every unit, and fifty units
    later no precision is left to compare an exported network by.
    """
    for norm in last_norms:
        nn.init.constant_(norm.weight, len(last_norms) ** -0.5)
