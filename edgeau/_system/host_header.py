"""The Host header of a request, which tells by which name a client reached this machine."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

__all__ = ["is_of_this_machine"]


def is_of_this_machine(header: str, *names: str) -> bool:
    """Tell whether a Host header names this machine: by an address made of numbers, as localhost, or by its own name.

    Any other name may be a foreign page's, made to point here (DNS rebinding): to a browser, what it then reads here is its own.

    Args:
        header: value of the header, with a port or without.
        names: that this machine has besides its own, such as the one that a server was told to listen on.
    """
    try:
        host = urlsplit(f"//{header}").hostname
    except ValueError:  # a bracket that is not closed
        return False
    if not host:
        return False
    own = socket.gethostname().lower()
    if host in {"localhost", own, f"{own}.local", *(name.lower() for name in names if name)}:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
