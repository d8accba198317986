"""Time of storing one message of the MQTT sink's store, synced: the cost of ``qos=1`` in docs/decisions/offline-store.md.

    python benchmarks/offline_store.py [--folder DIR] [--messages 2000]

The folder decides: it should lie on the disk that messages will wait on, not in memory. Half of the messages are removed while others
come, as a broker confirms them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

from this_machine import machine_name
from tqdm import tqdm

from edgeau._system.timing import RunTimes
from edgeau.sinks.offline_store import OfflineStore

CHARACTERS = 1500  # of a message with one face


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path(), help="on the disk to measure (default: here)")
    parser.add_argument("--messages", type=int, default=2000, metavar="N", help="to store (default 2000)")
    options = parser.parse_args()
    times = RunTimes()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        store = OfflineStore(Path(folder), most_bytes=1 << 30)
        for number in tqdm(range(options.messages), desc="messages", disable=None):
            stored = times.run(partial(store.append, "x" * CHARACTERS))
            if number % 2:
                store.remove([stored])
        store.close()
    median, late = times.percentiles_ms(50, 99)
    print(
        f"{options.messages} messages of {CHARACTERS} characters, {machine_name()}: "
        f"median {median:.1f} ms, 99th percentile {late:.1f} ms"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
