"""Interlaced frames, whose odd and even rows were taken at two moments, as whole pictures of one moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["deinterlace"]

# Motion adaptive, one picture a frame, and only of frames that say that they are interlaced.
_FILTER, _OPTIONS = "bwdif", "mode=send_frame:deint=interlaced"


def deinterlace(pictures: Iterable[Any]) -> Iterator[Any]:
    """Decoded frames of PyAV, in order; from the first interlaced one on, one frame late.

    Args:
        pictures: frames; they may change their size and format.
    """
    graph: Any = None
    shape = None
    for picture in pictures:
        if graph is None and not picture.interlaced_frame:
            yield picture
            continue
        if shape != (picture.width, picture.height, picture.format.name):
            yield from _rest(graph)
            graph, shape = _graph(picture), (picture.width, picture.height, picture.format.name)
        graph.push(picture)
        yield from _ready(graph)
    yield from _rest(graph)


def _graph(picture: Any) -> Any:
    from av.filter import Graph

    graph = Graph()
    source = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=picture.time_base
    )
    graph.link_nodes(source, graph.add(_FILTER, _OPTIONS), graph.add("buffersink")).configure()
    return graph


def _ready(graph: Any) -> Iterator[Any]:
    import av

    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):  # noqa: PERF203 - the way it says that no more is ready
            return


def _rest(graph: Any) -> Iterator[Any]:
    if graph is not None:
        graph.push(None)
        yield from _ready(graph)
