"""Subjects of a report: a network of the zoo, a checkpoint, an ONNX or LiteRT file, or a bundle."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edgeau._system.did_you_mean import did_you_mean
from edgeau._system.install_lines import extra_line
from edgeau._system.json_text import parse_json
from edgeau._system.printable import printable
from edgeau.bundle import PACKAGED, Bundle, bundle_folder, load_bundle
from edgeau.bundle.files import REPORT_JSON
from edgeau.bundle.manifest import Artifact
from edgeau.errors import BundleError, DependencyError, UsageError
from edgeau_export.profiling.from_onnx import onnx_precision, profile_of_onnx, profile_of_onnx_model
from edgeau_export.profiling.from_tflite import profile_of_tflite
from edgeau_export.profiling.model_profile import ModelProfile
from edgeau_export.profiling.zoo import zoo_names, zoo_profile
from edgeau_export.source_network.from_model_file import ModelFileSource
from edgeau_export.source_network.model_file import read_model_file
from edgeau_export.source_network.tflite_facts import read_tflite_facts

__all__ = ["Subject", "subjects_of"]

# Kinds of files that a model.toml has to describe.
_WEIGHTS = (".pth", ".pt", ".bin", ".ckpt", ".tar", ".ts")
_OPSET = 17
# Files of artifacts that state their operators and shapes.
_COUNTED = (".onnx", ".tflite")
_SOURCE = "name the network that they were made from"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Subject:
    """One row of a report.

    Attributes:
        profile: what it costs.
        precision: precision of an artifact; "" for a network without a file.
        runtime: engine that runs it; "" for a network without a file that an engine opens.
        f1: mean F1 that its manifest states, 0..1; None where none was measured.
        f1_data: what that was measured on.
        f1_aus: F1 of each AU that has one, 0..1; empty where none was measured.
        f1_interval: ends of the 95 % interval of ``f1``, from the report of the export that measured it; None where there is none.
        model: name of the network for people, the same for all artifacts of a bundle; "" takes the label.
        label: its name for people; "" takes the profile's. Artifacts of all bundles have the same file names, so that theirs says
            bundle, precision and engine.
    """

    profile: ModelProfile
    precision: str = ""
    runtime: str = ""
    f1: float | None = None
    f1_data: str = ""
    f1_aus: tuple[float, ...] = ()
    f1_interval: tuple[float, float] | None = None
    model: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", printable(self.label or self.profile.name))
        object.__setattr__(self, "model", printable(self.model) or self.label)


def subjects_of(what: str) -> list[Subject]:
    """The rows that one argument of the command asks for; a bundle gives one for each artifact.

    Args:
        what: a path, the name of a packaged bundle or of a network; ``name:option=value`` builds the network with an option.

    Raises:
        UserError: it is neither, or the file cannot be read.
    """
    if what in PACKAGED:
        return _of_bundle(bundle_folder(what))
    path = Path(what)
    if path.is_dir():
        return _of_bundle(path)
    if path.suffix == ".onnx":
        profile = profile_of_onnx(path)
        return [Subject(profile, onnx_precision(path, profile), "onnxruntime")]
    if path.suffix == ".tflite":
        return [Subject(profile_of_tflite(path), read_tflite_facts(path).precision, "litert")]
    if path.suffix == ".toml":
        return [_of_model_file(path)]
    if path.suffix == ".pt2":
        return [Subject(_of_program(path))]
    if path.suffix == ".safetensors":
        return [_of_checkpoint(path)]
    if path.suffix in _WEIGHTS and path.is_file():
        raise UsageError(
            f"{path} holds weights, or a graph without sizes: its cost depends on the size of the picture; describe it in a model.toml "
            f"and name that (edgeau-export --describe {path} prints one to fill in)"
        )
    return [_of_network(what)]


def _of_network(what: str) -> Subject:
    name, *options = what.split(":")
    if name not in zoo_names():
        raise UsageError(
            f"{what!r} is neither a file nor a known network; {did_you_mean(name, (*zoo_names(), *PACKAGED))}known networks: {', '.join(zoo_names())}; "
            "files end with .onnx, .tflite, .pt2, .safetensors or .toml (a model.toml), a bundle is a folder or default, light"
        )
    if not options:
        return Subject(zoo_profile(name))
    return Subject(_built(name, dict(_option(one, what) for one in options)))


def _of_model_file(path: Path) -> Subject:
    """The network that a model.toml describes, as an export would count it."""
    file = read_model_file(path)
    if file.weights.suffix == ".tflite":  # which is bundled as it is
        profile = replace(profile_of_tflite(file.weights), name=path.name, title=file.title)
        return Subject(profile, read_tflite_facts(file.weights).precision, "litert")
    graph = ModelFileSource(path).graph(_OPSET)
    return Subject(replace(profile_of_onnx_model(graph, name=path.name), title=file.title))


def _of_program(path: Path) -> ModelProfile:
    """An ExportedProgram, which says what it takes."""
    try:
        from edgeau_export.source_network.foreign_module import graph_of_program
    except ImportError as error:
        raise DependencyError(f"{path}: reading it needs torch ({error}); {extra_line('train')}") from error
    return profile_of_onnx_model(
        graph_of_program(path, _OPSET), name=path.name, file_bytes=path.stat().st_size
    )


def _option(text: str, what: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise UsageError(f"{what!r}: options are written name:option=value, such as mrpnet:mrp_variant=A")
    return key, int(value) if value.isascii() and value.isdigit() else value


def _built(name: str, options: dict[str, object]) -> ModelProfile:
    try:
        from edgeau_export.profiling.from_network import profile_of_zoo
    except ImportError as error:
        raise DependencyError(
            f"counting {name} with options builds it, which needs torch ({error}); {extra_line('train')}"
        ) from error
    try:
        return profile_of_zoo(name, **options)
    except (TypeError, ValueError) as error:
        raise UsageError(f"network {name} cannot be built with {options}: {error}") from error


def _of_checkpoint(path: Path) -> Subject:
    try:
        from edgeau_export.profiling.from_network import profile_of_checkpoint
    except ImportError as error:
        raise DependencyError(
            f"{path}: counting a checkpoint builds its network, which needs torch ({error}); "
            f"{extra_line('train')}"
        ) from error
    return Subject(profile_of_checkpoint(path))


def _of_bundle(path: Path) -> list[Subject]:
    bundle = load_bundle(path)
    intervals = _f1_intervals(bundle)
    counted = [item for item in bundle.manifest.artifacts if Path(item.file).suffix in _COUNTED]
    others = [item.file for item in bundle.manifest.artifacts if item not in counted]
    if not counted:
        raise UsageError(
            f"{path} holds compiled files only ({', '.join(others)}), in which nothing can be counted; {_SOURCE}"
        )
    if others:
        _log.warning(
            "%s: left out %s: nothing can be counted in a compiled file; %s", path, ", ".join(others), _SOURCE
        )
    subjects = [_of_artifact(bundle, path.resolve().name, artifact, intervals) for artifact in counted]
    shared = Counter(subject.label for subject in subjects)
    return [
        one if shared[one.label] == 1 else replace(one, label=f"{one.label}, {one.profile.name}")
        for one in subjects
    ]


def _of_artifact(
    bundle: Bundle, name: str, artifact: Artifact, intervals: Mapping[str, tuple[float, float]]
) -> Subject:
    file = bundle.path(artifact.file)
    profile = profile_of_tflite(file) if file.suffix == ".tflite" else profile_of_onnx(file)
    title = f"{bundle.manifest.network.title}, {artifact.runtime} {artifact.precision}"
    accuracy = artifact.accuracy
    subject = Subject(
        replace(profile, title=title),
        artifact.precision,
        artifact.runtime,
        model=name,
        label=f"{name} {artifact.precision} ({artifact.runtime})",
    )
    if accuracy is None:
        return subject
    return replace(
        subject,
        f1=accuracy.f1_mean,
        f1_data=f"{accuracy.count:,} faces, {accuracy.data}; measured in {accuracy.engine or 'an engine not recorded'}",
        f1_aus=tuple(value for value in accuracy.f1.values() if value is not None),
        f1_interval=intervals.get(artifact.file),
    )


def _f1_intervals(bundle: Bundle) -> dict[str, tuple[float, float]]:
    """Intervals of the mean F1 by file, where the export of this bundle measured that very mean with its answers at hand."""
    if REPORT_JSON not in {item.file for item in bundle.manifest.files}:
        return {}
    path = bundle.path(REPORT_JSON)
    try:
        reported = parse_json(path.read_text("utf-8"))["artifacts"]
        measured = {one["file"]: one["labelled"]["mean"] for one in reported if one["labelled"] is not None}
        found = {file: mean.get("refitted", mean["as_made"])["f1"] for file, mean in measured.items()}
        of_float = next((mean["float"]["f1"] for mean in measured.values()), None)
        stated = {one["file"]: one["accuracy"]["f1_mean"] for one in reported if one["accuracy"] is not None}
        return {
            file: (f1["low"], f1["high"])
            for file, mean in stated.items()
            if (f1 := found.get(file, of_float)) is not None and _same(f1["value"], mean)
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(
            f"{path} is not a report of edgeau-export ({error!r}); export the bundle again"
        ) from error


def _same(value: float | None, mean: float) -> bool:
    """A mean of the network fused with landmarks is another one than that of the network alone."""
    return value is not None and math.isclose(value, mean, abs_tol=1e-6)
