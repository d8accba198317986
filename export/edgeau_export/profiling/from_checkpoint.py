"""Accounts of checkpoints: the network that the file names, with its labels and options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgeau_export.profiling.from_network import account_of_network
from edgeau_export.profiling.model_profile import Account
from edgeau_training.checkpoint import read_info
from edgeau_training.networks.catalogue import network_facts
from edgeau_training.networks.counting import skeleton

__all__ = ["account_of_checkpoint"]


def account_of_checkpoint(path: Path) -> Account:
    """The account of a checkpoint.

    Raises:
        CheckpointError: the file is missing, damaged or not of edgeau.
    """
    info = read_info(path)
    facts = network_facts(info.network, **info.options)
    account = account_of_network(
        skeleton(info.network, info.labels, **info.options),
        (1, 3, *facts.input.size),
        name=path.name,
        title=facts.title,
        notes=(facts.fidelity, f"{len(info.labels)} AUs", info.training or "untrained"),
    )
    return replace(account, file_bytes=path.stat().st_size)
