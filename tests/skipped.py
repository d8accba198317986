"""What was skipped, what to install for it, and whether that is allowed where everything can be installed (``.ci/run``)."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable

__all__ = ["STRICT", "forbidden", "summary"]

STRICT = "EDGEAU_NO_SKIPS"
"""Environment variable that makes every skip but the allowed ones a failure; ``.ci/run`` sets it."""

# Skips that no installation can help: hardware, rights, the build of a package, data that may not be shipped.
_ALLOWED = (
    r"no GPU with TensorRT",
    r"there is a GPU",
    r"root may write",
    r"only root of a machine of its own may mount",
    r"this machine lets no process be watched",
    r"this OpenCV has GStreamer",
    r"this build of ONNX Runtime records no session",
    r"the packaged default has no artifact for",
    r"its options are those of its members",
    r"real faces are not shipped",
    r"face_landmarker\.task in \.\./shared/data",
    r"this ffmpeg cannot make it",
    r"this Pillow has no AVIF",
    r"^no (ipv6|IPv6|::1)",
    r"this system has no /dev/full",
    r"tflite-runtime .*(3\.11|cannot be installed)",
    r"cannot be fetched",
    r"there is no Python 3\.\d+ on this machine",
    r"needs TensorRT|real TensorRT",
    r"a board's line, for Python",
)
# mediapipe with networks inside ends at Python 3.12.
_FROM_3_13 = (r"mediapipe", r"MediaPipe's models")

_DEBIAN = {
    "chromium": "chromium chromium-driver",
    "mosquitto": "mosquitto",
    "openssl": "openssl",
    "strace": "strace",
    "unshare": "util-linux",
    "ffmpeg": "ffmpeg",
    "gcc": "gcc",
    "german locale": "locales",
    "c compiler": "gcc",
    "xvfb": "xvfb",
    "cmake": "cmake g++ nlohmann-json3-dev libjpeg-dev libssl-dev zlib1g-dev",
}


def forbidden(reasons: Iterable[str]) -> list[str]:
    """Those that could have run here had something been installed, each once."""
    allowed = _ALLOWED + (_FROM_3_13 if sys.version_info >= (3, 13) else ())
    return sorted({reason for reason in reasons if not any(re.search(p, reason) for p in allowed)})


def summary(reasons: Iterable[str]) -> list[str]:
    """Lines for people: how many tests, why, and what to do about it; nothing where none was skipped."""
    counted = Counter(reasons)
    lines = [f"{count:4} {reason}" for reason, count in counted.most_common()]
    packages = sorted({p for reason in counted for word, p in _DEBIAN.items() if word in reason.lower()})
    if packages:
        lines.append(f"to run them: sudo apt install {' '.join(packages)}")
    if any("could not import" in reason for reason in counted):
        lines.append("to run them: make test installs the Python packages (pip install -e '.[all,dev]')")
    return lines
