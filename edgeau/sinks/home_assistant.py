"""Home Assistant's MQTT discovery: the entities of one camera, and the small state that they read.

Discovery is one retained JSON document per entity under ``PREFIX/COMPONENT/NODE/OBJECT/config`` (Home Assistant, integration
"MQTT", section "MQTT discovery"). All entities read one state document and share the status topic for their availability. The
state describes the largest face; an AU that cannot be read is ``null``, which Home Assistant shows as "unknown".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from edgeau._system.version import VERSION
from edgeau.action_units.names import facs_name
from edgeau.results import FrameResult
from edgeau.sinks.description import Description

__all__ = ["HomeAssistant"]

_MEASUREMENT = {"unit_of_measurement": "%", "state_class": "measurement", "suggested_display_precision": 0}
# A decision that changed is told at once, but no more often than this, seconds: the decisions of 18 AUs change a lot.
_SOONEST_S = 0.1


class HomeAssistant:
    """Entities of one topic, and when their state is worth a message.

    Args:
        topic: topic of the results; the state goes to ``TOPIC/state``, availability is ``TOPIC/status``.
        prefix: Home Assistant's discovery prefix, ``homeassistant`` unless it was changed there.
        description: description of the results.
        every_s: seconds between two states in which no decision and no number of faces changed.
    """

    def __init__(self, topic: str, prefix: str, description: Description, every_s: float) -> None:
        self.state_topic = f"{topic}/state"
        self._status = f"{topic}/status"
        self._prefix = prefix
        self._labels = description.labels
        self._every_s = every_s
        # Home Assistant takes letters, digits, _ and - in these places.
        self._node = "edgeau_" + _place(topic, r"[A-Za-z0-9/-]+")
        self._device = {
            "identifiers": [self._node],
            "name": f"Action units {topic}",
            "manufacturer": "edgeau",
            "model": "Facial action units"
            if description.trained
            else "Untrained network: numbers mean nothing",
            "sw_version": VERSION,
        }
        self._reported_s: float | None = None
        self._decisions: tuple[Any, ...] = ()

    def configurations(self) -> Iterator[tuple[str, str]]:
        """Topic and JSON of each entity, to be published retained at every connection."""
        yield self._entity(
            "sensor",
            "faces",
            "Faces",
            "{{ value_json.faces }}",
            state_class="measurement",
            icon="mdi:account-group",
        )
        for label in self._labels:
            name = facs_name(label) if facs_name(label) == label else f"{label} {facs_name(label)}"
            place = _place(label, r"[A-Za-z0-9_-]+")
            read = f"value_json['active'][{label!r}]"
            template = f"{{{{ {read} if {read} is none else ('ON' if {read} else 'OFF') }}}}"
            yield self._entity("binary_sensor", place, name, template)
            # Off until somebody wants it: a number a second of every AU fills Home Assistant's database.
            read = f"value_json['percent'][{label!r}]"
            yield self._entity(
                "sensor", f"{place}_probability", f"{name} probability", f"{{{{ {read} }}}}",
                enabled_by_default=False, **_MEASUREMENT,
            )  # fmt: skip

    def state(self, result: FrameResult) -> str | None:
        """The state as JSON, or None while nothing changed and the last one is recent enough.

        ``faces`` is their number, ``active`` the decision and ``percent`` the probability (0..100) of each AU of the largest one.
        """
        face = result.largest_face
        units = {} if face is None else face.aus
        active = {label: (unit := units.get(label)) and unit.active for label in self._labels}
        decisions = (len(result.faces), *active.values())
        since_s = float("inf") if self._reported_s is None else result.time_s - self._reported_s
        # A source that starts again counts its time from zero: that is news as well.
        if 0 <= since_s < (_SOONEST_S if decisions != self._decisions else self._every_s):
            return None
        self._reported_s, self._decisions = result.time_s, decisions
        percent = {
            label: _percent(units[label].probability) if label in units else None for label in self._labels
        }
        return json.dumps(
            {"faces": len(result.faces), "active": active, "percent": percent}, separators=(",", ":")
        )

    def _entity(self, component: str, place: str, name: str, template: str, **more: Any) -> tuple[str, str]:
        document = {
            "name": name,
            "unique_id": f"{self._node}_{place}",
            "state_topic": self.state_topic,
            "value_template": template,
            "availability_topic": self._status,
            "device": self._device,
            "origin": {"name": "edgeau", "sw_version": VERSION},
            **more,
        }
        return f"{self._prefix}/{component}/{self._node}/{place}/config", json.dumps(
            document, separators=(",", ":")
        )


def _percent(probability: float | None) -> float | None:
    return None if probability is None else round(100 * probability, 1)


def _place(name: str, plain: str) -> str:
    """A name in letters, digits, _ and -; of two names that differ, these differ too.

    Args:
        name: any text.
        plain: pattern of the names that stay apart from each other without a digest behind them.
    """
    place = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    if re.fullmatch(plain, name):
        return place
    return f"{place}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
