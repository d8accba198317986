"""Everything random in a step comes from its number, so that a resumed run needs no generator's state."""

from __future__ import annotations

import numpy as np
import torch

__all__ = ["OF_THE_LOSS", "seed_step"]

OF_THE_LOSS = 1 << 20  # in place of a process's number: a draw of the loss is the same in all processes


def seed_step(seed: int, step: int, part: int, stream: int) -> None:
    """Seeds torch's generators.

    Args:
        seed: of the run.
        step: of the optimiser.
        part: of the batch.
        stream: the process, or :data:`OF_THE_LOSS`.
    """
    words = np.random.SeedSequence((seed, step, part, stream)).generate_state(1)
    torch.manual_seed(int(words[0]))
