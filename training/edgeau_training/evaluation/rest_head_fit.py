"""A small head that adds to logits, fitted with its regularisation chosen by cross-validation over persons.

A linear head is logistic regression with an offset, by L-BFGS; one with hidden units is trained by AdamW. Either starts at zero, so
that it answers what it adds to before it learns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgeau.errors import InputError

__all__ = ["HeadData", "HeadRule", "SmallHead", "fit_head"]

_BATCH = 128


@dataclass(frozen=True)
class HeadRule:
    """Choices of the fit.

    Attributes:
        pulls: weights of the squared weights of a linear head, on inputs of spread 1, to choose from.
        decays: weight decays of a head with hidden units to choose from.
        epochs: most passes of a head with hidden units; how many is chosen too.
        folds: of the cross-validation over persons.
        steps: most steps of L-BFGS.
        seed: of folds, weights and order.
    """

    pulls: tuple[float, ...] = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    decays: tuple[float, ...] = (0.1, 1.0)
    epochs: int = 25
    folds: int = 5
    steps: int = 60
    seed: int = 0


@dataclass(frozen=True)
class HeadData:
    """Inputs of a head for N faces.

    Attributes:
        inputs: float32 ``(N, D)``.
        base: float32 ``(N, C)``, logits that it adds to.
    """

    inputs: NDArray[np.float32]
    base: NDArray[np.float32]

    def rows(self, chosen: NDArray[np.bool_]) -> HeadData:
        """Some of them."""
        return HeadData(self.inputs[chosen], self.base[chosen])


@dataclass(frozen=True)
class SmallHead:
    """A fitted head.

    Attributes:
        network: the head itself.
        out_of_fold: float32 ``(N, C)``, logits of the faces it was fitted on, each by heads that did not see its person.
        strength: chosen pull or decay.
        epochs: chosen passes; 1 for a linear head.
        loss: binary cross-entropy of ``out_of_fold``.
    """

    network: nn.Module
    out_of_fold: NDArray[np.float32]
    strength: float
    epochs: int
    loss: float

    def logits(self, data: HeadData) -> NDArray[np.float32]:
        """Logits of other faces, float32 ``(N, C)``."""
        return _answers(self.network, data)


def fit_head(
    data: HeadData,
    truth: NDArray[np.int8],
    persons: NDArray[np.int64],
    width: int,
    rule: HeadRule | None = None,
) -> SmallHead:
    """Fit a head on all faces, with the strength that people left out were told best by.

    Args:
        data: faces to learn from.
        truth: ``(N, C)``, 1 present, 0 absent.
        persons: ``(N,)``.
        width: hidden units; 0 is a linear head.
        rule: None takes the defaults.

    Raises:
        InputError: there are fewer persons than folds.
    """
    rule = rule or HeadRule()
    people, member = np.unique(persons, return_inverse=True)
    if len(people) < rule.folds:
        raise InputError(f"{len(people)} persons are too few for a cross-validation of {rule.folds} folds")
    fold = np.random.default_rng(rule.seed).permutation(len(people))[member] % rule.folds
    found: list[tuple[float, float, int, NDArray[np.float32]]] = []
    for strength in rule.decays if width else rule.pulls:
        stages = np.zeros((rule.epochs if width else 1, *truth.shape), np.float32)
        for left_out in range(rule.folds):
            out = fold == left_out
            for number, head in enumerate(_stages(data.rows(~out), truth[~out], width, strength, rule)):
                stages[number, out] = _answers(head, data.rows(out))
        losses = [_loss(stage, truth) for stage in stages]
        best = int(np.argmin(losses))
        found.append((losses[best], strength, best + 1, stages[best]))
    loss, strength, epochs, out_of_fold = min(found, key=lambda item: item[0])
    trained = _stages(data, truth, width, strength, rule)
    for _ in range(epochs):
        head = next(trained)
    return SmallHead(head, out_of_fold, strength, epochs, loss)


class _AddedHead(nn.Module):
    mean: Tensor
    spread: Tensor

    def __init__(self, inputs: NDArray[np.float32], outputs: int, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(inputs.mean(axis=0)))
        self.register_buffer("spread", torch.from_numpy(inputs.std(axis=0) + 1e-3))
        self.last = nn.Linear(width or inputs.shape[1], outputs)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.hidden: nn.Module = nn.Identity()
        if width:
            first = nn.Linear(inputs.shape[1], width)
            self.hidden = nn.Sequential(nn.Dropout(0.2), first, nn.ReLU(), nn.Dropout(0.3))

    def forward(self, inputs: Tensor, base: Tensor) -> Tensor:
        """Return the moved logits ``(N, C)``."""
        moved: Tensor = base + self.last(self.hidden((inputs - self.mean) / self.spread))
        return moved


def _stages(
    data: HeadData, truth: NDArray[np.int8], width: int, strength: float, rule: HeadRule
) -> Iterator[nn.Module]:
    """The same head after each pass; a linear head once."""
    torch.manual_seed(rule.seed)
    head = _AddedHead(data.inputs, truth.shape[1], width)
    tensors = (torch.from_numpy(part) for part in (data.inputs, data.base, truth.astype(np.float32)))
    inputs, base, present = tensors
    if not width:
        yield _linear(head, inputs, base, present, strength, rule.steps)
        return
    optimiser = torch.optim.AdamW(head.parameters(), 1e-3, weight_decay=strength)
    for _ in range(rule.epochs):
        head.train()
        for rows in torch.split(torch.randperm(len(inputs)), _BATCH):
            optimiser.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(
                head(inputs[rows], base[rows]), present[rows]
            )
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        yield head


def _linear(
    head: _AddedHead, inputs: Tensor, base: Tensor, present: Tensor, pull: float, steps: int
) -> nn.Module:
    optimiser = torch.optim.LBFGS(
        head.parameters(), max_iter=steps, history_size=20, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(head(inputs, base), present)
        loss = loss + pull * head.last.weight.square().sum() / present.shape[1]
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return head


def _answers(head: nn.Module, data: HeadData) -> NDArray[np.float32]:
    head.eval()
    with torch.inference_mode():
        answers: NDArray[np.float32] = head(
            torch.from_numpy(data.inputs), torch.from_numpy(data.base)
        ).numpy()
    return answers


def _loss(logits: NDArray[np.float32], truth: NDArray[np.int8]) -> float:
    return float((np.logaddexp(0, logits) - truth * logits).mean())
