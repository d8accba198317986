"""Converting PyAV's frames in the thread that asks for it."""

from __future__ import annotations

from typing import Any

__all__ = ["reformatted"]

# From this version on ``reformat`` starts a thread for each processor, for each frame, and waits until all have started: where the
# processors are busy that takes longer than the conversion, some milliseconds. Older versions start none.
_STARTS_THREADS = 17


def reformatted(picture: Any, **wanted: Any) -> Any:
    """A frame in another format.

    Args:
        picture: an ``av.VideoFrame``.
        **wanted: arguments of ``av.VideoFrame.reformat``.

    Raises:
        av.error.FFmpegError: FFmpeg does not have the conversion.
    """
    import av

    if int(av.__version__.split(".")[0]) >= _STARTS_THREADS:
        wanted["threads"] = 1
    return picture.reformat(**wanted)
