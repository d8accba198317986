"""The manifest as tables for people: ``report.md``, and what ``edgeau-export`` prints when it is done."""

from __future__ import annotations

from pathlib import Path

from edgeau._system.text_table import aligned_lines
from edgeau.bundle.manifest import Artifact, Compiled, Manifest
from edgeau_export.targets.target import Target

__all__ = ["compiled_lines", "report", "summary"]

# F1 first, since it is what an artifact costs; differences are of logits, whose size says little by itself.
_MEASURED = (
    "mean F1, 0..1",
    "F1 drop",
    "decisions flipped",
    "largest difference, logits",
    "mean difference, logits",
    "measured in",
)
_COLUMNS = ("artifact", "runtime", "precision", *_MEASURED, "against", "size, MB", "faces a run")
_HEAD = ("artifact", "runtime", "precision", "size, MB", *_MEASURED)
_MEANING = (
    "F1 says how well decisions agree with labels (1 is perfect); its drop against float is what an artifact costs, and a negative drop is a "
    "gain. A flipped decision is another than the float network's, right or wrong. Differences are of logits, before the sigmoid: large ones "
    "far from a threshold change nothing."
)


def report(manifest: Manifest, target: Target) -> str:
    """Markdown: what the network is, what each artifact costs, what waits for the board."""
    parts = (
        f"# {manifest.network.title} for {target.title}",
        _warning(manifest),
        _network(manifest),
        f"## Artifacts\n\n{_means(manifest)} {_MEANING}",
        "In the order in which a device tries them:",
        _table(manifest),
        *_compiled(manifest),
        *_calibrations(manifest),
        *_as_given(manifest),
        _pending(manifest),
        f"## On the board\n\n```\n{target.install}\n```",
        _small_print(manifest),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _warning(manifest: Manifest) -> str:
    if manifest.network.trained:
        return ""
    return "**UNTRAINED.** These weights saw no data: every probability and every decision of this bundle is meaningless."


def _network(manifest: Manifest) -> str:
    network, height, width = manifest.network, *manifest.input.size
    hidden = (
        f" Experimental, hidden unless asked for: {' '.join(manifest.experimental)}."
        if manifest.experimental
        else ""
    )
    return (
        f"{network.parameters:,} parameters, {height} x {width} {manifest.input.color}, "
        f"{len(manifest.labels)} AUs: {' '.join(manifest.labels)}.{hidden}\n\nTrained on: {network.training}"
    )


def _table(manifest: Manifest) -> str:
    rows = [_COLUMNS, ("---",) * len(_COLUMNS), *(_row(artifact) for artifact in manifest.artifacts)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(artifact: Artifact) -> tuple[str, ...]:
    parity = artifact.parity
    allowed = ""
    if parity is not None and parity.tolerance is not None:
        own = "" if parity.float32_error is None else f"; float32 alone {parity.float32_error:.2g}"
        allowed = f" (allowed {parity.tolerance:.2g}{own})"
    f1, drop, flips, largest, mean, engine = _measured(artifact)
    return (
        *_named(artifact),
        f1,
        drop,
        flips,
        largest + allowed,
        mean,
        engine,
        "-" if parity is None else f"{parity.reference}, {parity.inputs}",
        f"{artifact.bytes / 1e6:.1f}",
        "any" if artifact.batch is None else str(artifact.batch),
    )


def _named(artifact: Artifact) -> tuple[str, str, str]:
    return artifact.file, artifact.runtime, artifact.precision


def _measured(artifact: Artifact) -> tuple[str, str, str, str, str, str]:
    """Cells of :data:`_MEASURED`."""
    accuracy, parity = artifact.accuracy, artifact.parity
    f1 = "-" if accuracy is None else f"{accuracy.f1_mean:.3f}"
    drop = "-" if accuracy is None or accuracy.f1_drop_mean is None else f"{accuracy.f1_drop_mean:+.4f}"
    if parity is None:
        return f1, drop, "-", "-", "-", "-"
    return (
        f1,
        drop,
        f"{parity.decision_flips:.2%}",
        f"{parity.max_abs_logit:.2g}",
        f"{parity.mean_abs_logit:.2g}",
        parity.engine or "not recorded",
    )


def _means(manifest: Manifest) -> str:
    """One sentence: the best F1 and what the smallest file gives up of it; that F1 was not measured where it was not."""
    scored = [(item.accuracy.f1_mean, item) for item in manifest.artifacts if item.accuracy is not None]
    if not scored:
        return "What this means: no labelled faces were at hand, so that the cost in F1 was not measured."
    best, at = max(scored, key=lambda one: one[0])
    f1, smallest = min(scored, key=lambda one: one[1].bytes)
    return (
        f"What this means: {at.precision} in {at.runtime} has the highest mean F1, {best:.3f}; the smallest file, {smallest.precision} in "
        f"{smallest.runtime} ({smallest.bytes / 1e6:.1f} MB), has {f1:.3f} ({f1 - best:+.3f})."
    )


def _compiled(manifest: Manifest) -> list[str]:
    """Say what compilers said of the files that they made."""
    lines = [f"- `{file}`: {line}." for file, line in compiled_lines(manifest)]
    if not lines:
        return []
    return [
        "## Compiled files\n\nWhat the compiler says of its own work; nothing of it was measured on a device.",
        "\n".join(lines),
    ]


def compiled_lines(manifest: Manifest) -> list[tuple[str, str]]:
    """File, and what its compiler says of it in one line."""
    return [
        (artifact.file, _compiled_line(artifact.compiled))
        for artifact in manifest.artifacts
        if artifact.compiled is not None
    ]


def _compiled_line(made: Compiled) -> str:
    parts = [f"{made.compiler} for {made.device}"]
    if made.operators and made.on_accelerator is not None:
        share = made.on_accelerator / made.operators
        parts.append(f"{made.on_accelerator} of {made.operators} operators accelerated ({share:.1%})")
    if made.sram_bytes is not None:
        parts.append(f"{made.sram_bytes / 1024:.0f} KiB SRAM")
    if made.flash_bytes is not None:
        parts.append(f"{made.flash_bytes / 1024:.0f} KiB read-only memory")
    if made.estimated_ms is not None:
        parts.append(f"estimated {made.estimated_ms:.1f} ms a face ({made.cycles:,} cycles)")
    return ", ".join(parts) + (f"; assumed: {made.assumptions}" if made.assumptions else "")


def _calibrations(manifest: Manifest) -> list[str]:
    return [
        f"`{artifact.file}`: recipe {made.recipe}, calibrated on {made.count} crops of {made.source} "
        f"(SHA-256 {made.digest[:16]})."
        for artifact in manifest.artifacts
        if (made := artifact.calibration) is not None
    ]


def _as_given(manifest: Manifest) -> list[str]:
    """Say what is not known of a file that somebody else converted."""
    lines = []
    for artifact in manifest.artifacts:
        if artifact.parity is not None:
            continue
        line = (
            f"`{artifact.file}` is bundled as it was given: it was not compared with the network that it was made from, nothing was "
            "calibrated, and its thresholds are those of its description, not fitted again."
        )
        accuracy = artifact.accuracy
        if accuracy is None:
            line += " Its F1 was not measured; a table with labels as `--calib` measures it."
        else:
            by_label = ", ".join(
                f"{label} {'-' if value is None else f'{value:.3f}'}" for label, value in accuracy.f1.items()
            )
            line += f" F1 {accuracy.f1_mean:.3f} on {accuracy.count} faces ({accuracy.data}): {by_label}."
        lines.append(line)
    return lines


def _pending(manifest: Manifest) -> str:
    if not manifest.pending:
        return ""
    stages = (f"{stage.stage}: {stage.reason}.\n\n```\n{stage.command}\n```" for stage in manifest.pending)
    return "## To finish on the board\n\nIn this folder:\n\n" + "\n\n".join(stages)


def _small_print(manifest: Manifest) -> str:
    tools = ", ".join(f"{name} {version}" for name, version in manifest.tools.items())
    licences = "".join(f"\n- {licence}" for licence in manifest.licences)
    return f"Made by {tools}." + (f"\n\nLicences:{licences}" if licences else "")


def summary(manifest: Manifest, out: Path) -> str:
    """A table of the artifacts, what waits for the board, and where the bundle is."""
    untrained = "" if manifest.network.trained else "  UNTRAINED: random weights"
    rows = [_HEAD, *(_summary_row(artifact) for artifact in manifest.artifacts)]
    lines = [
        f"{manifest.network.title} for {manifest.target}{untrained}",
        *aligned_lines(rows),
        _means(manifest),
    ]
    lines += [f"{file}: {line}" for file, line in compiled_lines(manifest)]
    commands = dict.fromkeys(stage.command for stage in manifest.pending)  # one may finish several stages
    lines += [f"on the board, in the bundle's folder: {command}" for command in commands]
    lines += [f"left out: {file}" for file in manifest.left_out]
    return "\n".join([*lines, f"bundle: {out}"])


def _summary_row(artifact: Artifact) -> tuple[str, ...]:
    return (*_named(artifact), f"{artifact.bytes / 1e6:.1f}", *_measured(artifact))
