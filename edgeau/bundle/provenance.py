"""Provenance of weights: the file they started as, the data, the recipe. In checkpoints and manifests alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Provenance", "StartingWeights", "TrainedOn"]


@dataclass(frozen=True)
class StartingWeights:
    """The file that a training started from.

    Attributes:
        file: its name.
        sha256: SHA-256 of the file, hex.
        labels: in its output order; none where the file does not say.
        taken: labels whose outputs were taken over, matched by name.
        fresh: labels of the new network that began at random.
        licences: that the file says are of its weights; they hold for what is made of them.
    """

    file: str
    sha256: str
    labels: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainedOn:
    """The data of a training.

    Attributes:
        set: name of the data set.
        fold: its division, whose test side was not trained on; "" where there is none.
        options: options of its reader.
        digest: digest of pictures and labels.
    """

    set: str
    fold: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    digest: str = ""


@dataclass(frozen=True)
class Provenance:
    """Origin of weights, as far as it was recorded; what nobody recorded is None or empty.

    Attributes:
        weights: SHA-256 of the file that was exported, hex; where its weights lie in several (the shards of an index, external data of
            an ONNX file), of the names and digests of all of them; "" in the checkpoint itself.
        started_from: None for random weights.
        trained_on: the data.
        recipe: SHA-256 of the training recipe, hex.
        changes: what a resumed run was told to change, and at which step.
        members: of weights that were put together from several networks' (averaged answers or weights), the provenance of each,
            with the digest of its checkpoint; the other fields but ``weights`` are empty then.
    """

    weights: str = ""
    started_from: StartingWeights | None = None
    trained_on: TrainedOn | None = None
    recipe: str = ""
    changes: tuple[str, ...] = ()
    members: tuple[Provenance, ...] = ()

    @property
    def trainings(self) -> tuple[TrainedOn, ...]:
        """The data of every training that the weights come from, each once: its own, and those of its members."""
        own = () if self.trained_on is None else (self.trained_on,)
        found = [*own, *(one for member in self.members for one in member.trainings)]
        return tuple(one for place, one in enumerate(found) if one not in found[:place])

    def folds(self, data_set: str) -> tuple[str, ...]:
        """The folds of a data set whose training sides the weights were trained on, each once."""
        return tuple(dict.fromkeys(one.fold for one in self.trainings if one.set == data_set))
