"""Every line that tells a user what to install; nothing else in edgeau spells one out, and tests/matrix proves each with pip."""

from __future__ import annotations

__all__ = ["EXTRAS", "LINES", "MORE", "NUMPY_1", "extra_line", "pip_line"]

EXTRAS = (
    "litert",
    "onnxruntime",
    "openvino",
    "tensorrt",
    "export",
    "train",
    "video",
    "heic",
    "web",
    "mqtt",
    "osc",
    "lsl",
    "completion",
    "parquet",
    "ray",
    "signing",
    "all",
    "docs",
    "dev",
)
"""Those of ``pyproject.toml``."""

MORE = {
    "edgeau": ("edgeau",),
    "numpy": ("numpy>=1.23",),
    # OpenCV from 4.12 on asks for numpy 2, so the two go together.
    "numpy 1": ("numpy<2", "opencv-python<4.12"),
    "opencv": ("opencv-python",),
    "opencv with cascades": ("opencv-python<5",),
    "pandas": ("pandas",),
    "pyarrow": ("pyarrow",),
    "tensorrt": ("tensorrt",),
    "tflite-runtime": ("tflite-runtime==2.14.0", "numpy<2", "opencv-python<4.12"),
}
"""What is named besides, by name: requirements for pip."""


def pip_line(*requirements: str) -> str:
    """The command for requirements: ``pip install 'edgeau[web]' 'numpy<2'``; those that need no quotes have none."""
    shown = (
        text if text.isidentifier() or text.replace("-", "").isalnum() else f"'{text}'"
        for text in requirements
    )
    return f"pip install {' '.join(shown)}"


def extra_line(*extras: str) -> str:
    """The command for extras of edgeau.

    Raises:
        ValueError: there is no such extra.
    """
    unknown = set(extras) - set(EXTRAS)
    if unknown:
        raise ValueError(f"edgeau has no extra {', '.join(sorted(unknown))}; it has {', '.join(EXTRAS)}")
    return pip_line(f"edgeau[{','.join(extras)}]")


LINES = {name: pip_line(*requirements) for name, requirements in MORE.items()}
NUMPY_1 = LINES["numpy 1"]
