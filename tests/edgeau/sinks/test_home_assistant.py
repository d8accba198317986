"""Home Assistant's discovery over a real Mosquitto, held against Home Assistant's documented fields."""

from __future__ import annotations

import json
import re

import pytest

from edgeau.errors import UsageError
from edgeau.sinks import Description, open_sink
from edgeau.sinks.home_assistant import HomeAssistant
from edgeau.sinks.mqtt import MqttSink
from tests.edgeau.sinks.test_mqtt import MOSQUITTO, broker, connect, subscriber  # noqa: F401 - fixtures

# Fields of its schemas for MQTT (2026.11: components/mqtt/schemas.py, sensor.py, binary_sensor.py).
COMMON = {
    "availability", "availability_mode", "availability_template", "availability_topic", "default_entity_id", "device",
    "enabled_by_default", "encoding", "entity_category", "entity_picture", "force_update", "icon", "json_attributes_template",
    "json_attributes_topic", "name", "origin", "payload_available", "payload_not_available", "qos", "state_topic", "unique_id",
    "value_template", "device_class", "expire_after",
}  # fmt: skip
OF = {
    "sensor": {
        "last_reset_value_template",
        "options",
        "suggested_display_precision",
        "state_class",
        "unit_of_measurement",
    },
    "binary_sensor": {"off_delay", "payload_off", "payload_on"},
}
DEVICE = {
    "configuration_url", "connections", "hw_version", "identifiers", "manufacturer", "model", "model_id", "name", "serial_number",
    "suggested_area", "sw_version", "via_device",
}  # fmt: skip
# components/mqtt/discovery.py: TOPIC_MATCHER.
TOPIC = re.compile(
    r"homeassistant/(?P<component>\w+)/(?:(?P<node_id>[a-zA-Z0-9_-]+)/)(?P<object_id>[a-zA-Z0-9_-]+)/config"
)


def check(topic: str, payload: str) -> dict:
    """A document that Home Assistant would take."""
    found = TOPIC.fullmatch(topic)
    assert found is not None, topic
    document = json.loads(payload)
    assert document.keys() <= COMMON | OF[found["component"]]
    assert {"state_topic", "unique_id", "name", "device"} <= document.keys()
    assert document["device"].keys() <= DEVICE
    assert document["device"]["identifiers"]
    assert document["origin"].keys() <= {"name", "sw_version", "support_url"}
    assert document["origin"]["name"]
    assert document.get("state_class") in (
        None,
        "measurement",
        "total",
        "total_increasing",
        "measurement_angle",
    )
    return document


def test_entities_are_announced_and_have_a_state(connect, subscriber, make_result, until) -> None:  # noqa: F811
    jinja2 = pytest.importorskip("jinja2")
    sink: MqttSink = connect("&discovery=homeassistant")
    until(lambda: sink.connected)
    sink.write(make_result(0))
    until(lambda: subscriber.of("aus/desk/state"))
    announced = {
        topic: payload for topic, payload in subscriber.messages if topic.startswith("homeassistant/")
    }
    documents = {topic: check(topic, payload) for topic, payload in announced.items()}
    assert len(documents) == 5, "faces, and a decision and a probability of AU1 and AU12"
    assert len({document["unique_id"] for document in documents.values()}) == 5
    assert {document["availability_topic"] for document in documents.values()} == {"aus/desk/status"}
    assert subscriber.of("aus/desk/status") == ["online"]
    state = json.loads(subscriber.of("aus/desk/state")[0])
    # Home Assistant renders templates with Jinja; "None" is its word for unknown.
    shown = {
        document["name"]: jinja2.Template(document["value_template"]).render(value_json=state)
        for document in documents.values()
    }
    assert shown == {
        "Faces": "1",
        "AU1 Inner brow raiser": "None",
        "AU1 Inner brow raiser probability": "None",
        "AU12 Lip corner puller": "ON",
        "AU12 Lip corner puller probability": "75.0",
    }
    sink.close()
    until(lambda: subscriber.of("aus/desk/status")[-1:] == ["offline"])


def test_a_change_is_told_at_once_and_nothing_else_more_than_once_a_second(make_result) -> None:
    assistant = HomeAssistant("t", "homeassistant", Description(("AU1", "AU12")), 1.0)
    told = [result.index for result in (make_result(index) for index in range(90)) if assistant.state(result)]
    assert told == [0, 30, 60]
    assert assistant.state(make_result(91, faces=0)) is not None
    assert assistant.state(make_result(92)) is None, (
        "a decision that flickers is told ten times a second at most"
    )
    assert assistant.state(make_result(95)) is not None
    assert assistant.state(make_result(0)) is not None, "the source began again"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("every=2", "goes with discovery"),
        ("discovery=homeassistant&every=0", "every must be"),
        ("discovery=a/%2B", "without"),
    ],
)
def test_what_does_not_fit_is_refused(description, query: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_sink(f"mqtt://127.0.0.1/t?{query}", description)


def test_two_cameras_and_two_labels_never_share_an_entity() -> None:
    topics = ("kitchen/left", "kitchen_left", "kitchen left", "kitchen-left")
    labels = ("a b", "a_b", "a.b", "AU1")
    made = [
        place
        for topic in topics
        for place, _ in HomeAssistant(topic, "homeassistant", Description(labels), 1).configurations()
    ]
    assert len(set(made)) == len(made) == len(topics) * (1 + 2 * len(labels))
    assert "homeassistant/binary_sensor/edgeau_kitchen_left/AU1/config" in made, "the usual ones stay short"
