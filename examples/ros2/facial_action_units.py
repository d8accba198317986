"""A ROS 2 node: facial action units of a camera as hri_msgs/FacialActionUnits (REP 155)."""

from __future__ import annotations

from typing import Any

from edgeau import Pipeline, open_source
from edgeau.action_units.names import au_number_or_none
from edgeau.results import Face

SIZE = 99  # of the message's arrays: one place for each number of FACS


def fill(message: Any, face: Face) -> Any:
    """Fill a message's ``intensity`` and ``confidence``, both of 99 numbers, from a face."""
    intensity, confidence = [0.0] * SIZE, [0.0] * SIZE
    for label, unit in face.aus.items():
        number = au_number_or_none(label)
        if number is None or number >= SIZE or unit.probability is None:
            continue
        # Of an AU that the network gives by sides, the stronger one.
        confidence[number] = max(confidence[number], float(unit.probability))
        strength = unit.probability if unit.intensity is None else unit.intensity
        intensity[number] = max(intensity[number], float(strength))
    message.intensity, message.confidence = intensity, confidence
    return message


def main() -> None:
    """Run until ROS shuts down."""
    import rclpy
    from hri_msgs.msg import FacialActionUnits, IdsList
    from rcl_interfaces.msg import ParameterDescriptor

    rclpy.init()
    node = rclpy.create_node("edgeau")
    # "source:=0" is an integer to ROS, a path is a text: it would refuse either where the other was declared.
    either = ParameterDescriptor(dynamic_typing=True)
    where = node.declare_parameter("source", "0", either).value
    bundle = node.declare_parameter("bundle", "").value or None
    tracked = node.create_publisher(IdsList, "/humans/faces/tracked", 1)
    faces: dict[int, Any] = {}
    with Pipeline.load(bundle) as pipeline, open_source(str(where)) as source:
        for result in pipeline.stream(source):
            if not rclpy.ok():
                break
            stamp = node.get_clock().now().to_msg()
            here = [face for face in result.faces if face.track_id is not None]
            tracked.publish(IdsList(ids=[f"f{face.track_id}" for face in here]))
            for gone in faces.keys() - {face.track_id for face in here}:
                node.destroy_publisher(faces.pop(gone))
            for face in here:
                if face.track_id not in faces:
                    topic = f"/humans/faces/f{face.track_id}/facs"
                    faces[face.track_id] = node.create_publisher(FacialActionUnits, topic, 1)
                message = fill(FacialActionUnits(), face)
                message.header.stamp = stamp
                faces[face.track_id].publish(message)
            rclpy.spin_once(node, timeout_sec=0)
    node.destroy_node()


if __name__ == "__main__":
    main()
