"""All rules over one set, and those on how much it shows: enough crops, enough of the action units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from edgeau.errors import CalibrationError, UsageError
from edgeau_calibration.data.crops import MINIMUM, WANTED, CalibrationSet
from edgeau_calibration.data.selection import Activity
from edgeau_calibration.linter.channel_order import channel_order
from edgeau_calibration.linter.finding import LintFinding
from edgeau_calibration.linter.near_duplicates import near_duplicates
from edgeau_calibration.linter.no_faces import no_faces
from edgeau_calibration.linter.one_person import one_person
from edgeau_calibration.linter.pixel_values import constant, noise, value_range

__all__ = ["OPINIONS", "RULES", "inactive_aus", "lint", "refuse"]


def too_few(found: CalibrationSet, wanted: int = WANTED) -> Iterator[LintFinding]:
    """Refuses sets of fewer than :data:`MINIMUM` crops."""
    if len(found) < MINIMUM:
        yield LintFinding(
            "too-few",
            f"it gives {len(found)} face crops",
            f"calibration needs {MINIMUM} at the least, {wanted} are wanted",
        )


# In stages: once a stage refuses, the later ones would only repeat it in other words (noise shows no face either).
_STAGES: tuple[tuple[Callable[[CalibrationSet], Iterable[LintFinding]], ...], ...] = (
    (too_few,),
    (value_range, constant, noise),
    (channel_order, no_faces),
    (near_duplicates, one_person),
)
RULES = (
    "too-few",
    "range",
    "constant",
    "random",
    "channel-order",
    "no-faces",
    "near-duplicates",
    "one-person",
    "inactive-aus",
)
# Rules that go by appearance or by the network itself and may be wrong about a set that somebody knows well.
OPINIONS = ("no-faces", "near-duplicates", "one-person", "inactive-aus")


def lint(found: CalibrationSet) -> tuple[LintFinding, ...]:
    """Find what is wrong with a calibration set, and what is worth knowing about it.

    The AUs that act in it are not looked at: they are a network's to say (:func:`inactive_aus`).
    """
    findings: list[LintFinding] = []
    for stage in _STAGES:
        findings += [finding for rule in stage for finding in rule(found)]
        if any(finding.refuses for finding in findings):
            break
    return tuple(findings)


# A small set of real faces misses a rare AU or two; a set without expressions misses most.
_SHARE = 0.5


def inactive_aus(activity: Activity) -> Iterator[LintFinding]:
    """Refuses sets in which more than half of the AUs are never active; names the missing ones otherwise."""
    missing = activity.missing
    if not missing:
        return
    yield LintFinding(
        "inactive-aus",
        f"{len(missing)} of {len(activity.labels)} AUs are active in no crop, by {activity.source}: {' '.join(missing)}",
        "add faces that show them",
        refuses=len(missing) > _SHARE * len(activity.labels),
    )


def refuse(found: CalibrationSet, findings: Iterable[LintFinding], accepted: Sequence[str] = ()) -> None:
    """The gate in front of every calibration.

    Args:
        found: the set.
        findings: about it.
        accepted: rules of :data:`OPINIONS` whose refusal the user overrules.

    Raises:
        CalibrationError: the set would calibrate wrongly; says why and what to do.
        UsageError: a rule that is not known, or that is not a matter of opinion, is overruled.
    """
    _check(accepted)
    refusals = [finding for finding in findings if finding.refuses and finding.rule not in accepted]
    if not refusals:
        return
    rules = [finding.rule for finding in refusals]
    overrule = f"; or pass --calib-accept {','.join(rules)}" if set(rules) <= set(OPINIONS) else ""
    raise CalibrationError(
        f"{found.source} would give a wrong calibration: {'. '.join(map(str, refusals))}{overrule}"
    )


def _check(accepted: Sequence[str]) -> None:
    for rule in accepted:
        if rule not in OPINIONS:
            raise UsageError(
                f"calibration rule {rule!r} cannot be overruled; those that can: {', '.join(OPINIONS)}"
            )
