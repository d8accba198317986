"""Saliency of a checkpoint: how much each pixel of a crop counts for each answer, by gradients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from edgeau.bundle.preprocessing import Preprocessor
from edgeau_training.checkpoint import load_checkpoint
from edgeau_training.evaluation.inner_answers import InnerMap, InnerTable
from edgeau_training.evaluation.read_inner_answers import read_inner_answers
from edgeau_training.evaluation.scorers.checkpoint import alignment_of, input_spec_of

__all__ = ["Saliency"]

# Of what the averaged copies have added: standard deviation over the range of the input, and how many there are.
_NOISE = 0.08
_COPIES = 12


class Saliency:
    """Gradients of a checkpoint's answers, averaged over noisy copies of the crop.

    The average is SmoothGrad of Smilkov et al. (2017, arXiv 1706.03825); of the colours of a pixel the largest counts.

    Args:
        path: a checkpoint of edgeau.

    Attributes:
        labels: AU labels in output order.
        alignment: how the crops are cut.

    Raises:
        CheckpointError: it cannot be read, or does not say what its network takes.
    """

    def __init__(self, path: Path) -> None:
        network, info = load_checkpoint(path)
        self._network = network.eval()
        self.labels = info.labels
        self.alignment = alignment_of(info)
        self._preprocessor = Preprocessor(input_spec_of(info), "BGR")

    def of(self, crop: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The answers to one crop and what they hang on: a backward pass for each answer and noisy copy.

        Args:
            crop: aligned, uint8 ``(H, W, 3)`` BGR.

        Returns:
            Logits float32 ``(C,)``, and absolute gradients float32 ``(C, H, W)``.
        """
        batch = self._batch(crop)
        with torch.no_grad():
            logits = self._network(batch)[0].float().numpy()
        generator = torch.Generator().manual_seed(0)
        spread = _NOISE * float(batch.max() - batch.min())
        maps = np.zeros((len(logits), *batch.shape[2:]), np.float32)
        for _ in range(_COPIES):
            noisy = batch + spread * torch.randn(batch.shape, generator=generator)
            noisy.requires_grad_(True)
            answers = self._network(noisy)[0]
            for column, answer in enumerate(answers):
                (gradient,) = torch.autograd.grad(answer, noisy, retain_graph=column + 1 < len(answers))
                maps[column] += gradient[0].abs().amax(0).numpy() / _COPIES
        return logits, maps

    def inner(self, crop: NDArray[np.uint8]) -> tuple[list[InnerMap], list[InnerTable]]:
        """Attention, patches, edges and shares of a network that has them; see :func:`.read_inner_answers`.

        Args:
            crop: aligned, uint8 ``(H, W, 3)`` BGR.
        """
        found = read_inner_answers(self._network, self._batch(crop), self.labels)
        maps = [one for one in found if isinstance(one, InnerMap)]
        return maps, [one for one in found if isinstance(one, InnerTable)]

    def _batch(self, crop: NDArray[np.uint8]) -> torch.Tensor:
        return torch.from_numpy(self._preprocessor.batch([crop]).copy())
