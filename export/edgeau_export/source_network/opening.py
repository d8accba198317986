"""Which source network a name or a file is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from edgeau.errors import UsageError
from edgeau_export.progress import ProgressReporter
from edgeau_export.source_network.from_checkpoint import CheckpointSource
from edgeau_export.source_network.from_default import DefaultSource
from edgeau_export.source_network.from_model_file import ModelFileSource

__all__ = ["DEFAULT", "PACKAGED", "Source", "open_source_network"]

Source: TypeAlias = DefaultSource | CheckpointSource | ModelFileSource

DEFAULT = "default"
# Networks that the package carries, by the name that people type.
PACKAGED: Mapping[str, Callable[[], Source]] = {DEFAULT: DefaultSource}
_NEEDS_WORDS = (".pth", ".pt", ".tar", ".ckpt", ".bin", ".onnx", ".pt2", ".tflite", ".th", ".pkl")


def open_source_network(model: Path | str, progress: ProgressReporter) -> Source:
    """Open what ``--model`` names.

    Args:
        model: a name of :data:`PACKAGED`, a ``.safetensors`` checkpoint of edgeau, or a ``model.toml``.
        progress: says which weights of a file were taken.

    Raises:
        UserError: it does not exist, cannot be opened, or is not what it says.
    """
    if isinstance(model, str) and model in PACKAGED:
        return PACKAGED[model]()
    path = Path(model)
    if path.suffix == ".toml":
        source = ModelFileSource(path)
        progress.notice(f"{path.name}: {source.taken}")
        return source
    if path.suffix in _NEEDS_WORDS and path.is_file():
        raise UsageError(
            f"{path} alone does not say its labels and what it sees: describe it in a model.toml; "
            f"edgeau-export --describe {path} prints one to fill in"
        )
    if not path.suffix and not path.exists():
        raise UsageError(f"{model} is neither a packaged network ({', '.join(PACKAGED)}) nor a file")
    return CheckpointSource(path)
