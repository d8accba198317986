"""Action units of faces: the network and the landmark model of a bundle, combined and decided at its thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.fusion import Fuser
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.landmark_sides import LEFT, RIGHT
from edgeau.action_units.network import AUDetector
from edgeau.action_units.neutral_baseline import NeutralBaseline
from edgeau.bundle.load import Bundle
from edgeau.errors import BundleError, InputError
from edgeau.metrics import probability
from edgeau.results import ActionUnit

__all__ = ["AUPredictor", "KnownLogits", "Predicted"]


@dataclass(frozen=True, slots=True)
class Predicted:
    """Predictions for one face: ``aus`` by label, and ``network_logits`` float32 ``(C,)`` of the network alone."""

    aus: dict[str, ActionUnit]
    network_logits: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class KnownLogits:
    """Logits that the network gave of a face that it need not look at again, ``logits``: float32 ``(C,)``."""

    logits: NDArray[np.float32]


class AUPredictor:
    """Predicts the AUs of the faces of one frame.

    Args:
        detector: the network; closed by whoever opened it.
        experimental: whether AUs without evidence on real faces are given too.

    Raises:
        BundleError: the bundle's landmark model does not know an AU that it should help with.
    """

    def __init__(self, detector: AUDetector, *, experimental: bool) -> None:
        manifest = detector.bundle.manifest
        self._detector = detector
        self._network = detector.bundle.network_identity
        self._fuser = None if manifest.fusion is None else Fuser(manifest.fusion, manifest.labels)
        self._network_weights = [] if self._fuser is None else self._fuser.network_weights
        self._labels = manifest.labels
        self._landmarks = _landmark_part(detector.bundle)
        self._thresholds = [self._chosen_thresholds()[label] for label in self._labels]
        hidden = () if experimental else manifest.experimental
        self._shown = [
            (column, label, label in manifest.experimental)
            for column, label in enumerate(self._labels)
            if label not in hidden
        ]
        self._empty = {
            label: ActionUnit(label, None, None, None, "too soon", experimental)
            for _, label, experimental in self._shown
        }

    @property
    def labels(self) -> tuple[str, ...]:
        """The AUs that are given, in order."""
        return tuple(label for _, label, _ in self._shown)

    @property
    def thresholds(self) -> dict[str, float]:
        """Decision threshold on the probability of each AU that is given, 0..1."""
        return {label: self._thresholds[column] for column, label, _ in self._shown}

    @property
    def intensity_labels(self) -> tuple[str, ...]:
        """Those of the AUs that are given whose intensity the bundle estimates."""
        return tuple(
            label for label in self.labels if self._landmarks and label in self._landmarks.model.labels
        )

    @property
    def sided_labels(self) -> tuple[str, ...]:
        """Those of the AUs that are given whose left and right side the bundle tells apart."""
        sides = None if self._landmarks is None else self._landmarks.model.sides
        return tuple(label for label in self.labels if sides is not None and label in sides.labels)

    @property
    def landmark_model(self) -> LandmarkModel | None:
        """The bundle's landmark model, where it has one."""
        return None if self._landmarks is None else self._landmarks.model

    def check_baseline(self, baseline: NeutralBaseline) -> None:
        """Check that a person's neutral face can be used with this bundle.

        Raises:
            InputError: it was collected with another landmark model or network, or with other weights of the network; or the bundle
                has no landmark model, so that it would have no effect.
        """
        if self._landmarks is None:
            raise InputError(
                f"a neutral baseline is for a bundle with a landmark model, and that of {self._network.name} has none; "
                "use no baseline, or a bundle with a landmark model"
            )
        baseline.check_template(self._landmarks.model.template_digest)
        baseline.check_network(self._network)

    def predict(
        self,
        crops: Sequence[NDArray[np.uint8] | KnownLogits],
        landmarks: Sequence[NDArray[np.float32]],
        baselines: Sequence[NeutralBaseline | None],
    ) -> list[Predicted]:
        """Predict the action units of each face.

        Args:
            crops: the aligned crop of each face, in the detector's colour order; or what the network said of it.
            landmarks: landmarks of each face, ``(468 or 478, 3)``.
            baselines: each person's neutral face, or None.

        Raises:
            InputError: a baseline cannot be used with this bundle, see :meth:`check_baseline`.
            EngineError: the engine failed.
        """
        if not crops:
            return []
        for baseline in baselines:
            if baseline is not None:
                self.check_baseline(baseline)
        unknown = [[None] * len(self._labels)] * len(crops)
        intensities: Sequence[Sequence[float | None]] = unknown
        asymmetries: Sequence[Sequence[float | None]] = unknown
        offsets: Sequence[Sequence[float]] | None = None
        if self._landmarks is not None:
            landmark_logits, intensities, asymmetries = self._landmarks.estimate(landmarks, baselines)
            if self._fuser is not None:
                offsets = self._offsets(self._fuser, landmark_logits, baselines)
        # From here on plain floats: the network leaves the caches empty, and one cold call of numpy costs more than
        # all of this does.
        alone = self._network_logits(crops)
        logits = alone.tolist()
        if offsets is not None:
            logits = [self._fused(*row) for row in zip(logits, offsets, strict=True)]
        rows = zip(logits, intensities, asymmetries, strict=True)
        return [Predicted(self._action_units(*row), own) for row, own in zip(rows, alone, strict=True)]

    def _network_logits(self, crops: Sequence[NDArray[np.uint8] | KnownLogits]) -> NDArray[np.float32]:
        """Logits ``(N, C)`` of the network, which looks at the faces that are not known."""
        wanted = [crop for crop in crops if not isinstance(crop, KnownLogits)]
        found = self._detector.logits(wanted) if wanted else np.empty((0, len(self._labels)), np.float32)
        if len(wanted) == len(crops):
            return found
        rows = iter(found)
        return np.stack([crop.logits if isinstance(crop, KnownLogits) else next(rows) for crop in crops])

    def empty(self) -> dict[str, ActionUnit]:
        """AUs by label of a face that has not been looked at: none has numbers."""
        return dict(self._empty)

    def _offsets(
        self,
        fuser: Fuser,
        landmark_logits: NDArray[np.float32],
        baselines: Sequence[NeutralBaseline | None],
    ) -> list[list[float]]:
        """Sum what is added to the network's weighted logits, by face and label."""
        offsets = fuser.offsets(landmark_logits)
        for row, baseline in enumerate(baselines):
            if baseline is not None:
                offsets[row] += fuser.own_rest(partial(baseline.excess, network=self._network))
        values: list[list[float]] = offsets.tolist()
        return values

    def _fused(self, network: Sequence[float], offsets: Sequence[float]) -> list[float]:
        rows = zip(self._network_weights, network, offsets, strict=True)
        return [weight * logit + offset for weight, logit, offset in rows]

    def _action_units(
        self,
        logits: Sequence[float],
        intensities: Sequence[float | None],
        asymmetries: Sequence[float | None],
    ) -> dict[str, ActionUnit]:
        found = {}
        for column, label, experimental in self._shown:
            likely = probability(logits[column])
            active = likely >= self._thresholds[column]
            left, right = _sides(logits[column], asymmetries[column])
            found[label] = ActionUnit(
                label, likely, active, intensities[column], None, experimental, left=left, right=right
            )
        return found

    def _chosen_thresholds(self) -> Mapping[str, float]:
        artifact = self._detector.artifact
        if self._fuser is not None and artifact.fused_thresholds is not None:
            return artifact.fused_thresholds
        return artifact.thresholds


def _sides(logit: float, asymmetry: float | None) -> tuple[float | None, float | None]:
    """Probabilities of the person's own left and right side.

    The side that the landmarks find stronger has the AU's own logit, which says whether the AU is there at all; the other
    one lies below it by what the landmarks find between them. So an AU is active where one of its sides is, and a mirrored
    face has mirrored sides.

    Args:
        logit: logit of the AU.
        asymmetry: left less right logit of the landmarks; None where they do not tell.
    """
    if asymmetry is None:
        return None, None
    return probability(logit + min(0.0, asymmetry)), probability(logit + min(0.0, -asymmetry))


def _landmark_part(bundle: Bundle) -> _LandmarkPart | None:
    file = bundle.manifest.landmark_model
    return None if file is None else _LandmarkPart(bundle, file)


class _LandmarkPart:
    """The landmark model's answers in the order of the bundle's labels."""

    def __init__(self, bundle: Bundle, file: str) -> None:
        manifest = bundle.manifest
        self.model = LandmarkModel.load(bundle.path(file))
        known = {label: column for column, label in enumerate(self.model.labels)}
        self._known = np.array([label in known for label in manifest.labels])
        self._knows_all = bool(self._known.all())
        self._columns = np.array([known.get(label, 0) for label in manifest.labels], np.intp)
        sided = () if self.model.sides is None else self.model.sides.labels
        self._sided = [sided.index(label) if label in sided else None for label in manifest.labels]
        if manifest.fusion is not None:
            _check_known(known, manifest.fusion.landmark)

    def estimate(
        self, faces: Sequence[NDArray[np.float32]], baselines: Sequence[NeutralBaseline | None]
    ) -> tuple[NDArray[np.float32], list[list[float | None]], list[list[float | None]]]:
        """Logits, float32 ``(N, C)``, intensities 0..1, and left less right logit, per face and label.

        Where the model does not know an AU the logit is 0, which its weight of 0 leaves out, and the others are None.
        """
        pairs = zip(faces, baselines, strict=True)
        answers = [self.model.estimate(face, baseline) for face, baseline in pairs]
        logits = np.stack([answer.logits.take(self._columns) for answer in answers])
        intensities: list[list[float | None]]
        intensities = [answer.intensities.take(self._columns).tolist() for answer in answers]
        if not self._knows_all:
            logits *= self._known
            intensities = [
                [value if known else None for value, known in zip(row, self._known, strict=True)]
                for row in intensities
            ]
        return logits, intensities, [self._asymmetries(answer.sides) for answer in answers]

    def _asymmetries(self, sides: NDArray[np.float32] | None) -> list[float | None]:
        if sides is None:
            return [None] * len(self._sided)
        left_less_right = (sides[LEFT] - sides[RIGHT]).tolist()
        return [None if column is None else left_less_right[column] for column in self._sided]


def _check_known(known: Mapping[str, int], weights: Mapping[str, float]) -> None:
    missing = [label for label, weight in weights.items() if weight and label not in known]
    if missing:
        raise BundleError(
            f"the landmark model of the bundle does not know {', '.join(missing)}, which its fusion needs; "
            "export the bundle again"
        )
