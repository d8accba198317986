"""Subjects of a report: a network of the zoo, a checkpoint, an ONNX or LiteRT file, or a bundle."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from edgeau._system.did_you_mean import did_you_mean
from edgeau._system.install_lines import extra_line
from edgeau.bundle import PACKAGED, Bundle, bundle_folder, load_bundle
from edgeau.bundle.manifest import Artifact
from edgeau.errors import DependencyError, UsageError
from edgeau_export.profiling.from_onnx import profile_of_onnx, profile_of_onnx_model
from edgeau_export.profiling.from_tflite import profile_of_tflite
from edgeau_export.profiling.model_profile import ModelProfile
from edgeau_export.profiling.zoo import zoo_names, zoo_profile
from edgeau_export.source_network.from_model_file import ModelFileSource
from edgeau_export.source_network.model_file import read_model_file

__all__ = ["Subject", "subjects_of"]

# Kinds of files that a model.toml has to describe.
_WEIGHTS = (".pth", ".pt", ".bin", ".ckpt", ".tar", ".ts")
_OPSET = 17


@dataclass(frozen=True)
class Subject:
    """One row of a report.

    Attributes:
        profile: what it costs.
        precision: precision of an artifact; "" for a network without a file.
        f1: mean F1 that its manifest states, 0..1; None where none was measured.
        f1_data: what that was measured on.
        label: its name for people; "" takes the profile's. Artifacts of all bundles have the same file names, so that theirs says
            bundle, precision and engine.
    """

    profile: ModelProfile
    precision: str = ""
    f1: float | None = None
    f1_data: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", self.profile.name)


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
        return [Subject(profile_of_onnx(path))]
    if path.suffix == ".tflite":
        return [Subject(profile_of_tflite(path))]
    if path.suffix == ".toml":
        return [Subject(_of_model_file(path))]
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


def _of_model_file(path: Path) -> ModelProfile:
    """The network that a model.toml describes, as an export would count it."""
    file = read_model_file(path)
    if file.weights.suffix == ".tflite":
        return replace(profile_of_tflite(file.weights), name=path.name, title=file.title)
    graph = ModelFileSource(path).graph(_OPSET)
    return replace(profile_of_onnx_model(graph, name=path.name), title=file.title)


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
    return key, int(value) if value.isdigit() else value


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
    subjects = [_of_artifact(bundle, path.resolve().name, artifact) for artifact in bundle.manifest.artifacts]
    shared = Counter(subject.label for subject in subjects)
    return [
        one if shared[one.label] == 1 else replace(one, label=f"{one.label}, {one.profile.name}")
        for one in subjects
    ]


def _of_artifact(bundle: Bundle, name: str, artifact: Artifact) -> Subject:
    file = bundle.path(artifact.file)
    profile = profile_of_tflite(file) if artifact.runtime == "litert" else profile_of_onnx(file)
    title = f"{bundle.manifest.network.title}, {artifact.runtime} {artifact.precision}"
    accuracy = artifact.accuracy
    return Subject(
        replace(profile, title=title),
        artifact.precision,
        None if accuracy is None else accuracy.f1_mean,
        ""
        if accuracy is None
        else f"{accuracy.count:,} faces, {accuracy.data}; measured in {accuracy.engine or 'an engine not recorded'}",
        f"{name} {artifact.precision} ({artifact.runtime})",
    )
