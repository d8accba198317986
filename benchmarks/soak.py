"""The live pipeline over many frames and many faults: no crash, no leak, every frame accounted for.

    python benchmarks/soak.py [--frames 100000] [--real [NAME]] [--json]

Time is accelerated: the source gives its next frame as soon as the one before is on its way, and dead sources come back
after a millisecond. Every 500 frames the source dies, in one of four ways (it ends, fails, hangs, or cannot be opened for a
while); frames are black, noise, of changing sizes, or with faces that come and go; the network and the landmarks fail now
and then; one sink is slow and one fails for a while. Landmarks and network are plain functions; with --real MediaPipe's networks and
a packaged bundle run instead, on the packaged clip.

Resident memory, without pages of files, is read after every five-hundredth of the frames; its slope is that of a line through the second half, with a
95 % interval that allows for neighbours that are alike. Exit code 3 when a frame is unaccounted for, or the interval's upper end is not below
--max-growth KiB per thousand frames.
"""

from __future__ import annotations

import itertools
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import psutil
from tqdm import tqdm

from edgeau import Pipeline, open_source
from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.action_units.network import AUDetector
from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.errors import EngineError, InputError, OutputError
from edgeau.faces.landmarks import Landmarker
from edgeau.live import LiveOptions, LivePipeline
from edgeau.runtimes.session import FunctionSession
from edgeau.sinks import Sink, open_sink
from edgeau.sources import Frame, ReconnectingSource, Source
from edgeau.sources.reconnecting import Backoff
from edgeau.stages import FrameStages

GATE = 3
LIFE = 500  # frames until a source dies
DEATHS = ("ends", "fails", "hangs", "cannot be opened")
SIZES = ((240, 320), (120, 160), (180, 320), (481, 641))
READINGS = 500  # of memory
_SILENCE_S = 0.1
_QUICK = Backoff(0.001, 0.01)


class Weather:
    """Counts frames over all the lives of a source, and makes the faults.

    Args:
        frames: in all.
        pictures: of faces, to choose from; None makes grey ones.
    """

    def __init__(self, frames: int, pictures: list[np.ndarray] | None) -> None:
        self.frames, self.given, self.lives, self.refused = frames, 0, 0, 0
        self.random = np.random.default_rng(0)
        self._pictures = pictures or [self._noise(size) for size in SIZES for _ in range(3)]
        self._bad = [np.zeros((*size, 3), np.uint8) for size in SIZES] + [self._noise(size) for size in SIZES]

    def image(self) -> np.ndarray:
        """A picture; every 20th run of 10 frames is black or noise, and of another size."""
        if self.given // 10 % 20 == 19:
            return self._bad[self.given // 10 % len(self._bad)]
        return self._pictures[self.given // 50 % len(self._pictures)]

    def _noise(self, size: tuple[int, int]) -> np.ndarray:
        return self.random.integers(0, 255, (*size, 3), np.uint8)

    def open(self) -> Source:
        """The source again; sometimes it refuses a few times."""
        if DEATHS[self.lives % len(DEATHS)] == "cannot be opened" and self.refused < 5:
            self.refused += 1
            raise InputError("the camera is not there")
        self.refused, self.lives = 0, self.lives + 1
        return Mortal(self)


class Mortal(Source):
    """A source that dies after LIFE frames; the last life ends with the weather's frames."""

    live = True

    def __init__(self, weather: Weather) -> None:
        self.name, self.fps = "camera", 1000.0
        self._weather, self._death = weather, DEATHS[weather.lives % len(DEATHS)]
        self._stopped = False
        self.ready: Callable[[], bool] = lambda: True

    def __iter__(self) -> Iterator[Frame]:
        for number in range(LIFE):
            if self._weather.given >= self._weather.frames:
                break
            yield Frame(number, number / 30, self._weather.image(), "", time.monotonic())
            self._weather.given += 1
        if self._death == "fails":
            raise InputError("the camera was pulled out")
        while self._death == "hangs" and not self._stopped:
            time.sleep(0.005)

    def stop(self) -> None:
        self._stopped = True


class Unhurried(Source):
    """A source that waits until the frame before is on its way, so that not nearly all are dropped as too fast."""

    live = True

    def __init__(self, source: ReconnectingSource, weather: Weather, busy: Callable[[], bool]) -> None:
        self.name, self.fps = source.name, source.fps
        self._source, self._weather, self._busy = source, weather, busy

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._source:
            yield frame
            # One in ten does not wait: newer frames must replace older ones too.
            patience = 0 if self._weather.given % 10 == 0 else 20
            while patience and self._busy():
                patience -= 1
                time.sleep(0.0005)
            if self._weather.given >= self._weather.frames:
                return

    def stop(self) -> None:
        self._source.stop()

    def close(self) -> None:
        self._source.close()


class FunctionLandmarker(Landmarker):
    """Up to three faces that wander, come and go; fails on every 997th frame."""

    def __init__(self, _static: bool) -> None:
        self._count = 0
        self._face = np.random.default_rng(1).uniform(-1, 1, (478, 3)).astype(np.float32)

    def detect(self, frame: np.ndarray) -> list[np.ndarray]:
        self._count += 1
        if self._count % 997 == 0:
            raise InputError("garbage from the decoder")
        if not frame[::40, ::40].any():
            return []
        scale = np.array((frame.shape[1], frame.shape[0], frame.shape[1]), np.float32) / 10
        faces = range(self._count // 300 % 4)
        return [self._face * scale + scale * self._place(face) for face in faces]

    def _place(self, face: int) -> np.ndarray:
        swing = 0.05 * self._count + 2 * face
        return np.array((5 + 2.5 * np.sin(swing), 5 + face - 1, 0), np.float32)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


def failing_network(labels: int) -> Callable[[np.ndarray], np.ndarray]:
    """Logits that depend on the crop; every 501st run fails."""
    runs = itertools.count(1)

    def network(batch: np.ndarray) -> np.ndarray:
        if next(runs) % 501 == 0:
            raise EngineError("the engine hiccuped")
        return np.repeat(batch.mean(axis=(1, 2, 3))[:, None], labels, axis=1)

    return network


class FaultySink(Sink):
    """Slow for a while, then down for a while, again and again."""

    name = "a faulty sink"

    def __init__(self) -> None:
        self.count = 0

    def write(self, _result: Any) -> None:
        self.count += 1
        phase = self.count // 200 % 5
        if phase == 1:
            time.sleep(0.002)
        if phase == 2:
            raise OutputError("the disk is full")

    def close(self) -> None:
        pass


def open_pipeline(real: str | None) -> Pipeline:
    if real is not None:
        return Pipeline.load(real, threads=1, max_faces=1)
    bundle = load_bundle(packaged_bundle_path())
    session = FunctionSession(failing_network(len(bundle.manifest.labels)))
    detector = AUDetector(bundle, session, bundle.manifest.artifacts[0], color="BGR")
    return Pipeline(FrameStages(detector, landmarker=FunctionLandmarker))


def clip_pictures() -> list[np.ndarray]:
    with open_source("clip") as clip:
        return [frame.image for frame in itertools.islice(clip, 0, 170, 10)]


def memory_kib() -> float:
    """Resident memory without pages of files, which the kernel takes and gives as it likes."""
    info = psutil.Process().memory_info()
    return (info.rss - info.shared) / 1024


def slope(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Fit a line through the second half of the points, frames and KiB.

    Returns:
        Its slope, KiB per thousand frames, and half the width of the slope's 95 % interval. The standard error is that of Newey and West (1987,
        Econometrica 55, 703-708) with Bartlett's weights, since memory grows in steps and neighbours are alike.
    """
    late = np.array(points[len(points) // 2 :], float)
    frames = late[:, 0] / 1000 - late[:, 0].mean() / 1000
    memory = late[:, 1] - late[:, 1].mean()
    found = float(frames @ memory / (frames @ frames))
    scores = frames * (memory - found * frames)
    variance = scores @ scores
    lags = len(scores) // 5
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * (scores[lag:] @ scores[:-lag])
    return found, 1.96 * float(np.sqrt(max(variance, 0.0)) / (frames @ frames))


def soak(frames: int, real: str | None) -> dict[str, Any]:
    """Run so many frames through plain functions, or through the landmarks and the network of a packaged bundle."""
    weather = Weather(frames, None if real is None else clip_pictures())
    memory: list[tuple[int, float]] = []
    reported = dict.fromkeys(("dropped", "gaps"), 0)
    begun_s = time.monotonic()
    with ExitStack() as stack:
        pipeline = stack.enter_context(open_pipeline(real))
        live = stack.enter_context(LivePipeline(pipeline.stages, LiveOptions(backlog=1)))
        mortal = ReconnectingSource(weather.open, backoff=_QUICK, silence_s=_SILENCE_S)
        source = stack.enter_context(Unhurried(mortal, weather, lambda: live.snapshot().on_the_way > 0))
        sink = stack.enter_context(open_sink(FaultySink(), pipeline))
        bar = stack.enter_context(tqdm(total=frames, unit="frame", disable=None))
        for result in live.stream(source):
            sink.write(result)
            bar.update(weather.given - bar.n)
            reported["dropped"] += result.dropped
            reported["gaps"] += result.gap_s > 0
            if weather.given >= frames / READINGS * len(memory):
                memory.append((weather.given, memory_kib()))
        counters = live.snapshot()
    took_s = time.monotonic() - begun_s
    growth, half_width = slope(memory)
    parts = {"processed": counters.processed, **counters.dropped, "failed": counters.failed}
    return {
        "frames": frames,
        "parts": "plain functions" if real is None else f"MediaPipe's networks and the packaged {real}",
        "seconds": round(took_s, 1),
        "captured": counters.captured,
        "accounted": parts,
        "unaccounted": counters.captured - sum(parts.values()),
        "lost_before_capture": weather.given - counters.captured,
        "source_deaths": weather.lives - 1,
        "gaps": counters.gaps,
        "reported_with_results": reported,
        "sink": str(sink.report),
        "memory_mib": {"start": round(memory[0][1] / 1024, 1), "end": round(memory[-1][1] / 1024, 1)},
        "memory_slope_kib_per_1000_frames": round(growth, 2),
        "memory_slope_interval_kib": [round(growth - half_width, 2), round(growth + half_width, 2)],
    }


def table(result: dict[str, Any]) -> str:
    return "\n".join(f"{name.replace('_', ' '):<36}{value}" for name, value in result.items())


def main(argv: Sequence[str] | None = None) -> int:
    parser = CommandParser(
        "soak",
        "The live pipeline over many frames and many faults.",
        "python benchmarks/soak.py --frames 100000",
    )
    parser.add_argument("--frames", type=int, default=100_000, help="how many (%(default)s)")
    parser.add_argument(
        "--real",
        nargs="?",
        const="default",
        metavar="NAME",
        help="MediaPipe's networks and a packaged bundle, default or light, on the clip",
    )
    parser.add_argument(
        "--max-growth", type=float, default=20.0, help="KiB per thousand frames (%(default)s)"
    )
    parser.add_json()
    arguments = parser.parse_args(argv)
    logging.getLogger("edgeau").setLevel(logging.ERROR)  # hundreds of faults are the point here
    result = soak(arguments.frames, arguments.real)
    if arguments.json:
        print_json(result)
    else:
        print(table(result))
    sound = result["unaccounted"] == 0 and result["memory_slope_interval_kib"][1] < arguments.max_growth
    return DONE if sound else GATE


if __name__ == "__main__":
    sys.exit(run("soak", main))
