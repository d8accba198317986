"""Files that appear when they are whole, in the formats of the tables."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgeau.errors import OutputError, UsageError
from edgeau.sinks import open_sink
from edgeau.sinks.csv_file import CsvSink
from edgeau.sinks.jsonl_file import JsonLinesSink


def test_a_csv_has_openface_s_columns_and_an_empty_cell_for_a_refused_au(
    tmp_path: Path, description, make_result
) -> None:
    with open_sink(tmp_path / "new" / "aus.csv", description) as sink:
        sink.write(make_result(4, faces=2))
    rows = list(csv.DictReader((tmp_path / "new" / "aus.csv").read_text().splitlines()))
    assert [row["frame"] for row in rows] == ["5", "5"]
    assert (rows[0]["AU01_p"], rows[0]["AU12_p"], rows[0]["AU12_r"]) == ("", "0.7500", "2.500")


def test_json_lines_are_those_of_the_analysis(tmp_path: Path, description, make_result) -> None:
    with open_sink(str(tmp_path / "aus.jsonl"), description) as sink:
        sink.write(make_result(0))
        sink.write(make_result(1))
    lines = [json.loads(line) for line in (tmp_path / "aus.jsonl").read_text().splitlines()]
    assert [line["index"] for line in lines] == [0, 1]
    assert lines[0]["faces"][0]["aus"]["AU1"] | {"experimental": None} == {
        "probability": None,
        "raw": None,
        "active": None,
        "intensity": None,
        "left": None,
        "right": None,
        "reason": "pose",
        "experimental": None,
    }
    assert "age_s" not in lines[0], "the same film gives the same file"


def test_parquet_has_the_csv_s_columns_as_numbers(tmp_path: Path, description, make_result) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    with open_sink(tmp_path / "aus.parquet", description, lossless=True) as sink:
        for index in range(2500):
            sink.write(make_result(index, faces=index % 2))
    table = parquet.read_table(tmp_path / "aus.parquet")
    with CsvSink(tmp_path / "aus.csv", description) as same:
        same.write(make_result())
    header = (tmp_path / "aus.csv").read_text().splitlines()[0].split(",")
    assert table.column_names == header
    assert table.num_rows == 2500
    row = table.slice(1, 1).to_pylist()[0]
    assert (row["frame"], row["success"], row["AU01_p"], row["AU12_p"]) == (2, 1, None, 0.75)
    assert table.slice(0, 1).to_pylist()[0]["AU12_c"] is None, "a frame without a face"
    assert table.schema.metadata[b"edgeau.trained"] == b"true"


def test_until_it_is_closed_a_file_has_another_name_and_holds_what_came(
    tmp_path: Path, description, make_result
) -> None:
    (tmp_path / "aus.jsonl").write_text("what was there before\n")
    sink = JsonLinesSink(tmp_path / "aus.jsonl", description)
    sink.write(make_result())
    assert (tmp_path / "aus.jsonl").read_text() == "what was there before\n"
    (hidden,) = tmp_path.glob(".*")
    assert json.loads(hidden.read_text())["index"] == 0
    sink.close()
    sink.close()
    assert [path.name for path in tmp_path.iterdir()] == ["aus.jsonl"]


def test_a_place_that_cannot_be_written_to_is_said_at_once(tmp_path: Path, description) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        open_sink(tmp_path / "file" / "aus.csv", description)


def test_a_full_disk_is_counted_and_raises_nothing_while_writing(description, make_result) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    from edgeau.sinks.jsonl_file import JsonStreamSink
    from edgeau.sinks.queued import QueuedSink

    stream = Path("/dev/full").open("w")  # noqa: SIM115 - closing it fails too
    queued = QueuedSink(JsonStreamSink(stream, description, "full"))
    queued.write(make_result())
    queued.close()
    assert queued.report.failed == 1
    assert "No space left" in str(queued.report)
    with pytest.raises(OSError):
        stream.close()


NO_ROOM = """
import resource, sys
from edgeau.errors import OutputError
from edgeau.results import FrameResult
from edgeau.sinks import Description
from edgeau.sinks.csv_file import CsvSink
from edgeau.sinks.parquet_file import ParquetSink

description = Description(("AU1", "AU12"))
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

for kind, suffix in ((CsvSink, "csv"), (ParquetSink, "parquet")):
    limit(0)
    try:
        kind(Path(sys.argv[1]) / f"a.{suffix}", description)
    except OutputError as error:
        print(error)
    limit(resource.RLIM_INFINITY)
sink = ParquetSink(Path(sys.argv[1]) / "b.parquet", description)
sink.write(FrameResult(0, 0.0, 0.0, 0, ()))
limit(10)
try:
    sink.close()
except OutputError as error:
    print(error)
"""


def test_a_disk_that_is_full_at_once_or_at_the_end_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    code = f"from pathlib import Path\n{NO_ROOM}"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    for name, line in zip(("a.csv", "a.parquet", "b.parquet"), lines, strict=True):
        assert f"{name} cannot be written: " in line, done
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_two_sinks_on_one_file_are_refused(tmp_path: Path, description, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"results{suffix}"
    (tmp_path / "link").symlink_to(tmp_path)
    with open_sink(path, description):
        for other in (path, tmp_path / "link" / path.name):
            with pytest.raises(UsageError, match="already"):
                open_sink(other, description)
    with open_sink(path, description):
        pass


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_file_that_is_taken_away_is_noticed(tmp_path: Path, description, make_result, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    sink = open_sink(tmp_path / f"results{suffix}", description, lossless=True)
    sink.write(make_result())
    while sink.report.waiting or not sink.report.written:
        time.sleep(0.01)
    for left in tmp_path.iterdir():
        left.unlink()
    for _ in range(3):
        sink.write(make_result())
    with pytest.raises(OutputError):
        sink.close()
    assert (sink.report.written, sink.report.failed) == (1, 3)
    assert "removed" in str(sink.report)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_folder_that_is_taken_away_is_said_at_the_end(
    tmp_path: Path, description, make_result, suffix: str
) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    sink = open_sink(tmp_path / "there" / f"results{suffix}", description)
    sink.write(make_result())
    (tmp_path / "there").rename(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="cannot be written"):
        sink.close()


ROOM_COMES_BACK = """
import resource, signal, sys
from pathlib import Path
from edgeau.errors import OutputError
from edgeau.results import FrameResult
from edgeau.sinks import Description
from edgeau.sinks.opening import _sink
from tests.edgeau.sinks.conftest import result

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
sink = _sink(str(path), Description(("AU1", "AU12"), ("AU12",)))

def write(limit, indices):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for index in indices:
        try:
            sink.write(result(index, faces=60))
        except OutputError as error:
            print(index, error)

write(int(sys.argv[2]), range(40))
write(resource.RLIM_INFINITY, range(40, 80))
try:
    sink.close()
except OutputError as error:
    print("close", error)
print("lost", sink.lost)
"""


def _room_comes_back(path: Path, limit: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", ROOM_COMES_BACK, str(path), str(limit)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("limit", [30_000, 30_001, 33_000, 100_000])
def test_where_room_comes_back_no_line_follows_a_half_one(tmp_path: Path, limit: int) -> None:
    """A result of many faces is longer than the buffers below, which would hand a part of it to the system."""
    said = _room_comes_back(tmp_path / "aus.jsonl", limit)
    failed = {int(line.split()[0]) for line in said if "cannot be written" in line}
    assert failed
    lines = [json.loads(line) for line in (tmp_path / "aus.jsonl").read_text().splitlines()]
    assert [line["index"] for line in lines] == sorted(set(range(80)) - failed)


def test_a_parquet_file_that_could_not_be_written_is_given_up_and_counted(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    said = _room_comes_back(tmp_path / "aus.parquet", 3000)
    failed = [line for line in said if "cannot be written" in line]
    first = int(failed[0].split()[0])
    assert first > 0
    assert [int(line.split()[0]) for line in failed] == list(range(first, 80)), "each later result is refused"
    assert said[-1] == f"lost {first}"
    assert not list(tmp_path.iterdir())
