"""The real liblsl on this machine: an inlet beside the outlet."""

from __future__ import annotations

import math
import time
import uuid

import pytest

from edgeau.results import FrameResult
from edgeau.sinks import Description, open_sink
from edgeau.sinks.address import Address

pylsl = pytest.importorskip("pylsl")


@pytest.fixture
def name() -> str:
    return f"edgeau-test-{uuid.uuid4().hex[:8]}"


def inlet(name: str):
    (found,) = pylsl.resolve_byprop("name", name, timeout=20)
    opened = pylsl.StreamInlet(found)
    opened.open_stream(20)
    return opened


def channels(information) -> list[tuple[str, str]]:
    listed, channel = [], information.desc().child("channels").child("channel")
    while not channel.empty():
        listed.append((channel.child_value("label"), channel.child_value("unit")))
        channel = channel.next_sibling()
    return listed


def test_a_recorder_gets_named_channels_and_samples_at_the_time_of_capture(
    description, make_result, name: str
) -> None:
    from edgeau.sinks.lsl import LslSink

    with LslSink(Address.parse(f"lsl://?name={name}"), description) as sink:
        receiver = inlet(name)
        information = receiver.info(10)
        assert (information.type(), information.nominal_srate()) == ("AU", pylsl.IRREGULAR_RATE)
        assert channels(information) == [
            ("id", "number"), ("pitch", "degrees"), ("yaw", "degrees"), ("roll", "degrees"),
            ("AU1", "probability"), ("AU12", "probability"),
        ]  # fmt: skip
        seen = make_result(7)
        sink.write(FrameResult(7, 7 / 30, 0.02, 0, seen.faces, captured_s=time.monotonic() - 0.5))
        sample, stamp = receiver.pull_sample(timeout=20)
        assert sample[:4] == [0, 1, 2, 3]
        assert math.isnan(sample[4]), "AU1 is refused: absent, not 0"
        assert sample[5] == pytest.approx(0.75)
        assert 0.45 < pylsl.local_clock() - stamp < 10, "stamped when it was captured, not when it was sent"
        sink.write(make_result(8, faces=0))
        sample, _ = receiver.pull_sample(timeout=20)
        assert all(math.isnan(value) for value in sample)


def test_a_face_keeps_its_slot(description, make_result, name: str) -> None:
    from edgeau.sinks.lsl import LslSink

    with LslSink(Address.parse(f"lsl://?name={name}&faces=2"), description) as sink:
        receiver = inlet(name)
        two = make_result(0, faces=3).faces[1:]
        assert channels(receiver.info(10))[6][0] == "face2.id"
        shown = []
        for faces in (two, two[1:], two):
            sink.write(FrameResult(0, 0.0, 0.0, 0, faces))
            sample, _ = receiver.pull_sample(timeout=20)
            shown.append(
                {sample[0], sample[6]} - {number for number in (sample[0], sample[6]) if math.isnan(number)}
            )
            place = 0 if sample[0] == 2 else 6
            shown.append(place)
        assert shown[::2] == [{1, 2}, {2}, {1, 2}]
        assert len(set(shown[1::2])) == 1, "track 2 stays where it was while 1 is away"


def test_onsets_are_markers(make_result, name: str) -> None:
    from edgeau.sinks.lsl import LslSink

    with LslSink(Address.parse(f"lsl://?name={name}"), Description(("AU1", "AU12"))) as sink:
        markers = inlet(f"{name}-events")
        for index in range(10):
            sink.write(make_result(index))
        (text,), _ = markers.pull_sample(timeout=20)
        assert text == "AU12 onset 0"


def test_it_opens_by_its_address(description, make_result, name: str) -> None:
    with open_sink(f"lsl://?name={name}", description) as sink:
        sink.write(make_result())
    assert (sink.report.written, sink.report.lost) == (1, 0)
