"""Messages to systemd, or whoever speaks its protocol: a service that is ready, alive, or ending.

A datagram to the socket that ``NOTIFY_SOCKET`` names, as sd_notify(3) describes it. Without that variable nothing is sent.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

__all__ = ["notify", "watchdog_interval_s"]


def notify(**states: str) -> bool:
    """Tell the service manager, such as ``notify(READY="1", STATUS="running")``.

    Args:
        states: assignments, as sd_notify(3) names them. A line break in a value becomes a space.

    Returns:
        True where it was sent.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@") or not hasattr(socket, "AF_UNIX"):
        return False
    text = "\n".join(f"{name}={' '.join(value.split())}" for name, value in states.items())
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.settimeout(1.0)
        sender.connect("\0" + address[1:] if address[0] == "@" else address)
        sender.sendall(text.encode())
        return True
    return False


def watchdog_interval_s() -> float | None:
    """Seconds within which the service manager wants to hear ``WATCHDOG=1``; None where it does not watch this process."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    text = os.environ.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isdigit() and int(text) > 0 else None
