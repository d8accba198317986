"""What two views of a face are asked, in one process and in several."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from edgeau.errors import UsageError
from edgeau_training.augmentation import Augmentation
from edgeau_training.losses.agreement import disagreement
from edgeau_training.losses.imitation import distance_from_teacher
from edgeau_training.trainer.batches import Batch
from edgeau_training.trainer.objective import Objective
from edgeau_training.trainer.process_group import ProcessGroup
from edgeau_training.trainer.recipe import Recipe
from edgeau_training.trainer.stage import Stage
from edgeau_training.trainer.student import Answers

# Every process computes its share of the gradient, which is printed where it is put together.
SHARED = """
import torch
from tests.training.trainer.test_objective import Asked, pairs

asked = Asked(("AU1", "AU4"))
world, rank = asked.processes.world, asked.processes.rank
mine = torch.cat([view.chunk(world)[rank] for view in pairs().chunk(2)]).requires_grad_()
asked(mine).backward()
gathered = [asked.processes.whole(view.contiguous()) / world for view in mine.grad.chunk(2)]
if rank == 0:
    print("gradient", torch.cat(gathered).flatten().tolist())
"""


class Coded:
    """Labels of a training side, all of them known unless said otherwise."""

    def __init__(self, labels, known=None):
        self.labels = labels
        self.mask = np.tile(
            np.ones(len(labels), np.int8) if known is None else np.array(known, np.int8), (4, 1)
        )
        self.occurrence = self.mask & np.tile(np.array([[1], [0], [1], [0]], np.int8), (1, len(labels)))


class Asked:
    """The disagreement alone, as the trainer's criterion gives it."""

    def __init__(self, labels, known=None, flip=0.5, weight=3.0, parts=1):
        recipe = Recipe(
            "a test", "mrpnet", (Stage("only", batch=4 * parts, steps=1),), agreement=weight, accumulate=parts,
            augmentation=Augmentation.none(flip=flip),
        )  # fmt: skip
        self.processes = ProcessGroup("cpu")
        self.objective = Objective(recipe, self.processes)
        self.objective.fit(Coded(labels, known))
        self.figures = {}

    def __call__(self, logits):
        nothing = torch.zeros_like(logits)  # no label counts
        batch = Batch(torch.zeros(len(logits), 1, 1, 3), nothing, nothing)
        return self.objective.criterion(batch, 0, 0, self.figures)(Answers(logits))


def pairs(count=4, columns=2):
    return torch.randn(2 * count, columns, generator=torch.Generator().manual_seed(7))


def test_views_that_agree_cost_nothing_and_others_their_weight():
    asked = Asked(("AU1", "AU4"))
    first, second = pairs().chunk(2)
    assert asked(torch.cat([first, first])) == 0
    apart = disagreement(first, second)
    torch.testing.assert_close(asked(torch.cat([first, second])), 3 * apart)
    torch.testing.assert_close(asked.figures["disagreement"], apart)  # what the log says is not weighted


def test_a_part_of_a_batch_counts_its_share():
    torch.testing.assert_close(Asked(("AU1", "AU4"), parts=2)(pairs()), Asked(("AU1", "AU4"))(pairs()) / 2)


def test_a_mirrored_view_answers_for_the_other_side():
    """The left smile of a face is the right one of its mirror image."""
    labels = ("AU4", "AU12L", "AU12R")
    first = pairs(columns=3).chunk(2)[0]
    mirrored = first[:, [0, 2, 1]]
    assert Asked(labels)(torch.cat([first, mirrored])) == 0
    assert Asked(labels)(torch.cat([first, first])) > 0.1
    # Where nothing is mirrored, sides stay where they are.
    assert Asked(labels, flip=0.0)(torch.cat([first, first])) == 0


def test_one_side_alone_cannot_be_mirrored():
    with pytest.raises(UsageError, match="AU12L becomes AU12R in a mirrored picture"):
        Asked(("AU4", "AU12L"))
    Asked(("AU4", "AU12L"), flip=0.0)


def test_an_au_that_nobody_labelled_is_not_compared():
    first, second = pairs().chunk(2)
    loud = torch.tensor([1.0, 1000.0])
    asked = Asked(("AU1", "AU4"), known=(1, 0))
    torch.testing.assert_close(
        asked(torch.cat([first * loud, second * loud])), asked(torch.cat([first, second]))
    )


@pytest.mark.slow
def test_two_processes_compare_the_whole_batch():
    line = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "--no-python",
    ]
    ended = subprocess.run(
        [*line, sys.executable, "-c", SHARED], env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    said = next(text for text in ended.stdout.splitlines() if "gradient" in text).partition("gradient ")[2]
    logits = pairs().requires_grad_()
    Asked(("AU1", "AU4"))(logits).backward()
    shared = torch.tensor([float(value) for value in said.strip("[]").split(",")])
    torch.testing.assert_close(shared, logits.grad.flatten(), rtol=1e-5, atol=1e-7)


def test_the_distance_from_a_teacher_counts_with_its_weight():
    recipe = Recipe(
        "a test", "mrpnet", (Stage("only", batch=4, steps=1),), imitation=2.0, augmentation=Augmentation.none()
    )  # fmt: skip
    objective, figures = Objective(recipe, ProcessGroup("cpu")), {}
    objective.fit(Coded(("AU1", "AU4")))
    logits, teacher = pairs().chunk(2)
    nothing = torch.zeros_like(logits)
    batch = Batch(torch.zeros(len(logits), 1, 1, 3), nothing, nothing, teacher=teacher)
    apart = distance_from_teacher(logits, teacher)
    torch.testing.assert_close(objective.criterion(batch, 0, 0, figures)(Answers(logits)), 2 * apart)
    torch.testing.assert_close(figures["imitation"], apart)  # what the log says is not weighted
