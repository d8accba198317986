"""The network alone: aligned crops in, action units out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau._system.closing import Closing
from edgeau._system.lifetime import Lifetime
from edgeau._system.pool import Pool
from edgeau.bundle.load import Bundle, load_bundle
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.packaged import bundle_folder
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.bundle.select import select_artifact
from edgeau.bundle.verification import open_verified
from edgeau.metrics import sigmoid
from edgeau.runtimes.session import EngineInfo, Session

__all__ = ["AUDetector", "Detections"]


@dataclass(frozen=True)
class Detections:
    """The network's answers to N crops; columns in the order of ``labels``.

    Attributes:
        labels: C AU labels.
        logits: float32 ``(N, C)``.
        probabilities: float32 ``(N, C)``, 0..1.
        decisions: bool ``(N, C)``: probability at or above the AU's threshold.
    """

    labels: tuple[str, ...]
    logits: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    decisions: NDArray[np.bool_]


class AUDetector(Closing):
    """Runs a bundle's network on crops that are aligned already (:mod:`edgeau.faces.alignment`).

    Threads that share one take turns, or with :meth:`widen` run side by side. It does not outlive a fork. Close it, or use it in
    ``with``.

    Args:
        bundle: verified.
        session: runs the artifact.
        artifact: artifact of the bundle.
        color: order of the channels of the crops that will be given, ``"RGB"`` or ``"BGR"``.
    """

    def __init__(self, bundle: Bundle, session: Session, artifact: Artifact, *, color: str = "RGB") -> None:
        manifest = bundle.manifest
        self.bundle = bundle
        self.artifact = artifact
        self.labels = manifest.labels
        self._session = session
        self._color = color
        self._lifetime = Lifetime("detector")
        # A session and its preprocessor belong to one thread at a time.
        self._sessions: Pool[tuple[Session, Preprocessor]] = Pool()
        self._sessions.widen(1, lambda: self._with_preprocessor(session))
        self._provider: str | None = None
        self._thresholds = np.array([artifact.thresholds[label] for label in self.labels], np.float32)

    @classmethod
    def load(
        cls,
        bundle: Bundle | Path | str | None = None,
        *,
        artifact: str | None = None,
        threads: int | None = None,
        provider: str | None = None,
        color: str = "RGB",
    ) -> AUDetector:
        """A detector from a bundle.

        Args:
            bundle: a bundle, its folder, or the name of a packaged one (``"light"``); None takes the packaged default.
            artifact: which of its artifacts may be tried: a runtime (``"onnxruntime"``), a precision (``"int8"``), both
                (``"onnxruntime/int8"``) or a file name; None chooses among all.
            threads: that one inference may use; None takes as many as are fastest. What is fastest here is measured
                once for each bundle, see :func:`edgeau.bundle.select.select_artifact`.
            provider: the engine's device or kernel library; None takes the runtime's default.
            color: order of the channels of the crops that will be given.

        Raises:
            BundleError: there is no bundle, or it is damaged or newer than this library.
            EngineError: no artifact works here.
            DependencyError: a package is missing.
        """
        if not isinstance(bundle, Bundle):
            bundle = load_bundle(bundle_folder(bundle))
        chosen = select_artifact(bundle, artifact, threads=threads, provider=provider)
        detector = cls(bundle, chosen.session, chosen.artifact, color=color)
        detector._provider = provider
        return detector

    def widen(self, count: int) -> None:
        """Open further sessions of the artifact, so that as many threads get answers at once; each takes memory of its own.

        Args:
            count: sessions altogether.

        Raises:
            EngineError: the engine refuses another one.
        """
        self._lifetime.check()
        self._sessions.widen(count, self._open_another)

    def logits(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits only, float32 ``(N, C)``; arguments and errors as for :meth:`detect`."""
        self._lifetime.check()
        session, preprocessor = taken = self._sessions.take()
        try:
            self._lifetime.check()
            return session.run(preprocessor.batch(crops))
        finally:
            self._sessions.give_back(taken)

    def detect(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> Detections:
        """Action units of crops.

        Args:
            crops: uint8 ``(size, size, 3)`` each, aligned, in the colour order the detector was made for; one or more.

        Raises:
            InputError: there is no crop, or one has another type or size.
            EngineError: the engine failed, or the process was forked since the detector was loaded.
            UsageError: the detector is closed.
        """
        logits = self.logits(crops)
        probabilities = sigmoid(logits)
        return Detections(self.labels, logits, probabilities, probabilities >= self._thresholds)

    def describe(self) -> EngineInfo:
        """Name the engine that runs the network."""
        return self._session.describe()

    def close(self) -> None:
        """Give the engine's memory back; a second call does nothing."""
        if self._lifetime.end():
            self._sessions.close(lambda taken: taken[0].close())

    def _open_another(self) -> tuple[Session, Preprocessor]:
        self._lifetime.check()
        threads = self._session.describe().threads
        return self._with_preprocessor(
            open_verified(self.bundle, self.artifact, threads=threads, provider=self._provider)
        )

    def _with_preprocessor(self, session: Session) -> tuple[Session, Preprocessor]:
        return session, Preprocessor(self.bundle.manifest.input, self._color, session.quantized_input)
