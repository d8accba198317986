"""From starting ``edgeau-live --serve`` to the first action units at a viewer, and from a signal to its end; seconds.

    python benchmarks/webcam_start.py --times 4

A viewer asks from the first moment on, and the clock stops at the first message whose face has a probability. On a machine that
meets the bundle for the first time the engines are timed first; that start is told apart. It is ended by SIGTERM and by Ctrl-C in turns.
"""

import argparse
import asyncio
import json
import signal
import socket
import subprocess
import sys
import time

import aiohttp
from this_machine import about, measured_here

# A program that a shell started in the background ignores Ctrl-C unless it is told not to.
CODE = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); from edgeau_apps.live.command import main; sys.exit(main())"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def first_units(port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.ws_connect(f"{url}/numbers", origin=url) as numbers:
                    async for message in numbers:
                        faces = json.loads(message.data)["faces"]
                        if any(value is not None for face in faces for value in face["aus"].values()):
                            return
            except aiohttp.ClientError:  # noqa: PERF203 - it is not there yet
                await asyncio.sleep(0.02)


def once(number: signal.Signals = signal.SIGTERM) -> tuple[float, float]:
    """Seconds from the start to the first units, and from a signal to the end."""
    port = free_port()
    started = time.perf_counter()
    command = [sys.executable, "-c", CODE, "--source", "clip", "--serve", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        asyncio.run(asyncio.wait_for(first_units(port), 120))
        start_s = time.perf_counter() - started
        signalled = time.perf_counter()
        process.send_signal(number)
        process.wait(20)
        return start_s, time.perf_counter() - signalled
    finally:
        process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description="Start-up of edgeau-live, seconds.")
    parser.add_argument("--times", type=int, default=4)
    arguments = parser.parse_args()
    print(about(measured_here(), "webcam_start"))
    print(f"first start here: {once()[0]:.2f} s")
    numbers = [(signal.SIGTERM, signal.SIGINT)[turn % 2] for turn in range(arguments.times)]
    taken = [once(number) for number in numbers]
    print("later starts: " + ", ".join(f"{start_s:.2f}" for start_s, _ in taken) + " s")
    ends = zip(numbers, taken, strict=True)
    print("ends: " + ", ".join(f"{number.name} {end_s:.2f}" for number, (_, end_s) in ends) + " s")


if __name__ == "__main__":
    main()
