"""One pipeline in threads, forks, servers and event loops: right answers or a clear error, never a crash or a hang."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import textwrap
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau import AUDetector, FrameResult, Pipeline, UsageError, open_source


def pictures(astronaut: np.ndarray) -> list[np.ndarray]:
    """Pictures of different sizes with 0, 1 and 2 faces, so that a swapped answer shows."""
    one = astronaut[0:300, 60:460]
    return [
        np.full((200, 300, 3), 90, np.uint8),
        one,
        cv2.resize(one, None, fx=0.5, fy=0.5),
        np.hstack((one, one)),
    ]


def answer(result) -> list[dict]:
    return result.to_dict(landmarks=True)["faces"]


@pytest.mark.parametrize(
    "frames", [15, pytest.param(1000, marks=(pytest.mark.slow, pytest.mark.timeout(3600)))]
)
def test_sixteen_threads_share_a_pipeline_and_get_their_own_answers(
    bundle_path: Path, astronaut: np.ndarray, frames: int
) -> None:
    given = pictures(astronaut)
    with Pipeline.load(bundle_path, threads=1, far=False) as pipeline:
        right = [answer(pipeline.process(picture)) for picture in given]
        assert [len(faces) for faces in right] == [0, 1, 1, 2]
        seen: set[int] = set()
        lock = threading.Lock()

        def work(thread: int) -> None:
            for step in range(frames):
                which = (thread + step) % len(given)
                result = pipeline.process(given[which])
                assert answer(result) == right[which]
                with lock:
                    assert result.index not in seen
                    seen.add(result.index)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(work, range(16)))


def test_threads_share_a_detector(bundle_path: Path, crops: np.ndarray) -> None:
    with AUDetector.load(bundle_path, threads=1) as detector:
        right = [detector.logits(crop[None]) for crop in crops]

        def work(thread: int) -> None:
            for step in range(100):
                which = (thread + step) % len(crops)
                np.testing.assert_array_equal(detector.logits(crops[which][None]), right[which])

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))


def test_closing_while_threads_work_ends_them_with_a_clear_error(
    bundle_path: Path, astronaut: np.ndarray
) -> None:
    pipeline = Pipeline.load(bundle_path, threads=1, far=False)
    working = threading.Barrier(5)

    def work(_: int) -> str:
        pipeline.process(astronaut)
        working.wait()
        try:
            while True:
                pipeline.process(astronaut)
        except UsageError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        said = pool.map(work, range(4))
        working.wait()
        pipeline.close()
        assert all("is closed" in line for line in said)
    for call in (pipeline.process, pipeline.track):
        with pytest.raises(UsageError, match="this pipeline is closed"):
            call(astronaut)
    with pytest.raises(UsageError, match="this pipeline is closed"), open_source("clip") as source:
        next(pipeline.stream(source))
    pipeline.close()


def test_two_streams_at_once_are_refused_and_never_mixed(bundle_path: Path) -> None:
    with Pipeline.load(bundle_path, threads=1) as pipeline:
        with open_source("clip") as one, open_source("clip") as other:
            first, second = pipeline.stream(one), pipeline.stream(other)
            alone = [next(first) for _ in range(3)]
            began = [next(second) for _ in range(2)]
            with pytest.raises(UsageError, match="another stream of this pipeline began"):
                next(first)
            began.append(next(second))
        assert [answer(result) for result in began] == [answer(result) for result in alone]
        with open_source("clip") as source:
            third = pipeline.stream(source)
            next(third)
            pipeline.track(np.zeros((100, 100, 3), np.uint8))
            with pytest.raises(UsageError, match="another stream"):
                next(third)


@pytest.mark.parametrize("second_is_live", [True, False])
def test_a_live_stream_ends_when_another_one_begins(bundle_path: Path, *, second_is_live: bool) -> None:
    with Pipeline.load(bundle_path, threads=1, max_faces=1) as pipeline:
        with open_source("clip") as source:
            alone = [result for result, _ in zip(pipeline.stream(source), range(3), strict=False)]
        with (
            open_source("clip", real_time=True) as one,
            open_source("clip", real_time=second_is_live) as other,
        ):
            first = pipeline.stream(one)
            next(first)
            second = pipeline.stream(other)
            began = [next(second) for _ in range(3)]
            with pytest.raises(UsageError, match="another stream of this pipeline began"):
                list(first)
            assert [result.faces[0].track_id for result in began] == [0, 0, 0]
            if not second_is_live:
                assert [answer(result) for result in began] == [answer(result) for result in alone]
            assert next(second).faces


def test_sixteen_threads_stream_at_once_and_one_goes_on(bundle_path: Path) -> None:
    """Whoever began last gets the answers of a stream alone; everybody else a clear error."""
    with Pipeline.load(bundle_path, threads=1) as pipeline:
        with open_source("clip") as source:
            right = [answer(result) for result, _ in zip(pipeline.stream(source), range(6), strict=False)]
        ready = threading.Barrier(16)

        def work(_: int) -> str:
            with open_source("clip") as source:
                ready.wait()
                try:
                    found = zip(pipeline.stream(source), range(6), strict=False)
                    return "right" if [answer(result) for result, _ in found] == right else "wrong"
                except UsageError as error:
                    return str(error)[:14]

        with ThreadPoolExecutor(16) as pool:
            outcomes = set(pool.map(work, range(16)))
    assert "right" in outcomes
    assert outcomes <= {"right", "another stream"}


def run(code: str, *words: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code), *words],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


FORK = """
    import multiprocessing, sys, cv2
    from edgeau import EdgeauError, Pipeline
    bundle, picture, how = sys.argv[1], cv2.imread(sys.argv[2]), sys.argv[3]
    pipeline = Pipeline.load(bundle, threads=1)
    assert len(pipeline.process(picture).faces) == 1

    def child():
        try:
            mine = Pipeline.load(bundle, threads=1) if how == "new" else pipeline
            with mine:
                print("faces", len(mine.process(picture).faces), flush=True)
        except EdgeauError as error:
            print("refused:", error, flush=True)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(60)
    print("alive" if process.is_alive() else f"code {process.exitcode}", flush=True)
    process.kill()
    print("parent", len(pipeline.process(picture).faces), flush=True)
"""


@pytest.mark.parametrize(
    ("how", "says"), [("inherited", "refused: this pipeline was loaded before"), ("new", "faces 1")]
)
def test_after_a_fork(bundle_path: Path, astronaut: np.ndarray, tmp_path: Path, how: str, says: str) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), astronaut)
    done = run(FORK, str(bundle_path), str(tmp_path / "a.png"), how)
    assert says in done.stdout, done.stderr
    assert "code 0" in done.stdout
    assert "parent 1" in done.stdout


FORK_IN_A_STREAM = """
    import multiprocessing, sys
    from edgeau import EdgeauError, Pipeline, open_source
    bundle, how = sys.argv[1:]
    options, cores = ({"real_time": True}, 1) if how == "live" else ({}, 2)
    with Pipeline.load(bundle, threads=1, max_faces=1) as pipeline, open_source("clip", **options) as source:
        results = pipeline.stream(source, cores=cores)
        next(results)

        def child():
            try:
                next(results)
            except EdgeauError as error:
                print("refused:", error, flush=True)
            results.close()
            pipeline.close()

        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join(30)
        print("alive" if process.is_alive() else f"code {process.exitcode}", flush=True)
        process.kill()
        print("parent", len(next(results).faces), flush=True)
        results.close()
"""


@pytest.mark.parametrize("how", ["live", "threads"])
def test_a_stream_is_not_taken_along_into_a_fork(bundle_path: Path, how: str) -> None:
    """Its threads are the parent's: whoever waits for a result of theirs would wait for ever."""
    done = run(FORK_IN_A_STREAM, str(bundle_path), how)
    assert "before the process forked" in done.stdout, done.stderr
    assert "code 0" in done.stdout
    assert "parent 1" in done.stdout


def test_spawned_processes(bundle_path: Path, astronaut: np.ndarray, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), astronaut)
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            """
            import sys
            from multiprocessing import get_context
            import cv2
            from edgeau import AUDetector, FrameResult, Pipeline, UsageError, open_source

            def load(bundle):
                global pipeline
                pipeline = Pipeline.load(bundle, threads=1)

            def aus(path):
                return pipeline.process(cv2.imread(path))  # a whole result travels back

            if __name__ == "__main__":
                with get_context("spawn").Pool(2, load, (sys.argv[1],)) as pool:
                    print([len(result.faces) for result in pool.map(aus, [sys.argv[2]] * 4)])
            """
        )
    )
    done = subprocess.run(
        [sys.executable, program, bundle_path, tmp_path / "a.png"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "[1, 1, 1, 1]", done.stderr


def test_an_event_loop_goes_on(bundle_path: Path, astronaut: np.ndarray) -> None:
    async def main() -> tuple[list[int], int]:
        ticks = 0  # of the loop, while a picture is being processed
        running = 0
        done = asyncio.Event()

        async def tick() -> None:
            nonlocal ticks
            while not done.is_set():
                ticks += running > 0
                await asyncio.sleep(0.001)

        def process(pipeline: Pipeline, picture: np.ndarray) -> FrameResult:
            nonlocal running
            running += 1
            try:
                return pipeline.process(picture)
            finally:
                running -= 1

        ticking = asyncio.create_task(tick())
        with Pipeline.load(bundle_path, threads=1) as pipeline:
            calls = (asyncio.to_thread(process, pipeline, picture) for picture in pictures(astronaut) * 3)
            results = await asyncio.gather(*calls)
        done.set()
        await ticking
        return [len(result.faces) for result in results], ticks

    counts, ticks = asyncio.run(main())
    assert counts == [0, 1, 1, 2] * 3
    assert ticks > 0


def test_a_server_with_a_thread_for_each_request(bundle_path: Path, astronaut: np.ndarray) -> None:
    with Pipeline.load(bundle_path, threads=1, far=False) as pipeline:

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
                body = pipeline.process(picture).to_json().encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        given = [cv2.imencode(".png", picture)[1].tobytes() for picture in pictures(astronaut)]

        def ask(number: int) -> int:
            with urllib.request.urlopen(address, given[number % len(given)], timeout=60) as reply:
                return len(json.load(reply)["faces"])

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(ask, range(24))) == [0, 1, 1, 2] * 6
        server.shutdown()
        server.server_close()
