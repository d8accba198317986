"""The artifacts of a target that one export makes, and the stages that wait for the board."""

from __future__ import annotations

from dataclasses import dataclass

from edgeau._system.did_you_mean import did_you_mean
from edgeau.errors import UsageError
from edgeau_export.targets.target import PendingStage, Target, TargetArtifact

__all__ = ["SelectedArtifacts", "select_artifacts"]


@dataclass(frozen=True)
class SelectedArtifacts:
    """Artifacts of one export: what is made here, in the target's order, and what waits for the board."""

    artifacts: tuple[TargetArtifact, ...]
    pending: tuple[PendingStage, ...]

    @property
    def recipes(self) -> tuple[str, ...]:
        """Names of the quantization recipes that are needed, each once."""
        return tuple(dict.fromkeys(item.recipe for item in self.artifacts if item.recipe is not None))

    def without_quantization(self) -> SelectedArtifacts:
        """Drop what cannot be made when there is nothing to calibrate on."""
        artifacts = tuple(artifact for artifact in self.artifacts if artifact.recipe is None)
        kept = {artifact.file for artifact in artifacts}
        return SelectedArtifacts(artifacts, tuple(stage for stage in self.pending if stage.source in kept))


def select_artifacts(target: Target, precisions: tuple[str, ...] | None) -> SelectedArtifacts:
    """Select what a target lists in the asked precisions; a stage for the board brings the artifact that it starts from.

    Args:
        target: the board.
        precisions: asked for, or None for all that the target lists.

    Raises:
        UsageError: the target does not list a precision; those it lists are named.
    """
    asked = target.precisions if precisions is None else precisions
    unknown = [precision for precision in asked if precision not in target.precisions]
    if unknown or not asked:
        advice = did_you_mean(unknown[0], target.precisions) if unknown else ""
        raise UsageError(
            f"precision {', '.join(unknown) or 'of nothing'} was asked for; {advice}"
            f"target {target.name} has {', '.join(target.precisions)}"
        )
    pending = tuple(stage for stage in target.pending if stage.precision in asked)
    sources = {stage.source for stage in pending}
    sources |= {
        item.compiled_from for item in target.artifact if item.compiled_from and item.precision in asked
    }
    artifacts = (item for item in target.artifact if item.precision in asked or item.file in sources)
    return SelectedArtifacts(tuple(artifacts), pending)
