"""Faces of people who are also seen at rest: what the network and the landmark model say of both, and of the person's neutral baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.fusion import Fuser
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.neutral_baseline import NeutralBaseline
from edgeau.bundle import Bundle
from edgeau.errors import InputError, UsageError
from edgeau_training.evaluation.network_features import NetworkFeatures
from edgeau_training.evaluation.predictions import UNKNOWN

__all__ = ["RestPairs", "joined", "rest_pairs"]


@dataclass(frozen=True)
class RestPairs:
    """N faces, and the same persons at rest.

    Attributes:
        features: float32 ``(N, D)``, what the network's last layer reads.
        rest_features: float32 ``(N, D)`` of the same person at rest.
        network: float32 ``(N, C)``, logits of the network.
        rest_network: float32 ``(N, C)``, its logits of the same person at rest.
        moved_network: float32 ``(N, C)``, its logits less what the neutral baseline takes off.
        landmark: float32 ``(N, C)``, logits of the landmark model.
        own_landmark: float32 ``(N, C)``, likewise measured from the neutral baseline.
        fused: float32 ``(N, C)``, logits of the bundle without a neutral baseline.
        own_fused: float32 ``(N, C)``, logits of the bundle with it: what it gives today.
        truth: int8 ``(N, C)``, 1 present, 0 absent.
        persons: int64 ``(N,)``.
        at_rest: bool ``(N,)``, the face itself is at rest, in another picture than the baseline's.
    """

    features: NDArray[np.float32]
    rest_features: NDArray[np.float32]
    network: NDArray[np.float32]
    rest_network: NDArray[np.float32]
    moved_network: NDArray[np.float32]
    landmark: NDArray[np.float32]
    own_landmark: NDArray[np.float32]
    fused: NDArray[np.float32]
    own_fused: NDArray[np.float32]
    truth: NDArray[np.int8]
    persons: NDArray[np.int64]
    at_rest: NDArray[np.bool_]


def rest_pairs(bundle: Bundle, found: NetworkFeatures) -> RestPairs:
    """Every face of a person who is also seen at rest; the first face at rest is the neutral baseline, and is left out.

    Args:
        bundle: with a landmark model and a fusion that says what its network gives at rest.
        found: of this bundle's network, fully labelled.

    Raises:
        UsageError: the bundle lacks one of them.
        InputError: the answers are of another network, a face has an unknown label, or nobody is seen at rest and once more.
    """
    manifest = bundle.manifest
    fusion = manifest.fusion
    if fusion is None or fusion.rest is None or manifest.landmark_model is None:
        raise UsageError(
            f"{bundle.directory} does not contain the network's output on a face at rest; package it again"
        )
    if found.logits.shape[1] != len(manifest.labels):
        raise InputError(
            f"the features are of a network of {found.logits.shape[1]} AUs, and {bundle.directory} has {len(manifest.labels)}"
        )
    if (found.truth == UNKNOWN).any():
        raise InputError(f"a face has an AU of {bundle.directory} without a label; take renders")
    firsts = {int(found.persons[row]): row for row in reversed(np.flatnonzero(found.at_rest))}
    tested = [row for row, person in enumerate(found.persons) if firsts.get(int(person), row) != row]
    if not tested:
        raise InputError("no person is seen both at rest and in another picture")
    rest = [firsts[int(found.persons[row])] for row in tested]
    model, fuser = LandmarkModel.load(bundle.path(manifest.landmark_model)), Fuser(fusion, manifest.labels)
    columns = [model.labels.index(label) for label in manifest.labels]
    network_identity = bundle.network_identity
    baselines = {
        row: NeutralBaseline(
            model.shape(found.points[row]), model.template_digest, 1, 1.0, found.logits[row], network_identity
        )
        for row in set(rest)
    }
    average = np.array([fusion.rest[label] for label in manifest.labels], np.float32)
    landmark = np.stack([model.logits(found.points[row])[columns] for row in tested])
    pairs = list(zip(tested, (baselines[row] for row in rest), strict=True))
    own_landmark = np.stack([model.logits(found.points[row], own)[columns] for row, own in pairs])
    moved = np.stack([found.logits[row] - own.excess(average, network_identity) for row, own in pairs])
    taken_off = np.stack([fuser.own_rest(partial(own.excess, network=network_identity)) for _, own in pairs])
    network = found.logits[tested]
    return RestPairs(
        found.features[tested],
        found.features[rest],
        network,
        found.logits[rest],
        moved,
        landmark,
        own_landmark,
        fuser.fuse(network, landmark),
        fuser.fuse(network, own_landmark) + taken_off,
        found.truth[tested],
        found.persons[tested],
        found.at_rest[tested],
    )


def joined(parts: Sequence[RestPairs]) -> RestPairs:
    """Several as one; persons of different parts are different people.

    Raises:
        InputError: their networks give another number of features.
    """
    if len({part.features.shape[1] for part in parts}) > 1:
        raise InputError("the features of these files are of different networks")
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(RestPairs)
    }
    persons, above = [], 0
    for part in parts:
        _, place = np.unique(part.persons, return_inverse=True)
        persons.append(above + place)
        above += int(place.max()) + 1
    return RestPairs(**(columns | {"persons": np.concatenate(persons)}))
