"""Addresses as people type them: with a user's name and password of any characters, which no message may show."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

__all__ = ["check_address", "quote_user", "without_secrets"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
# Where a host may begin: a name or number, or an IPv6 number in brackets, with a port or without.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\s\[\]@:/?#]+)?(:\d*)?(?=[/?#]|$)")
# Text that is not an address and may be meant as one: a user's name, a password and an @; "C:" is a drive.
_USER = re.compile(r"[\s/]*[^\s/\\:@]{2,}:.*@", re.DOTALL)
_OPTION = re.compile(r"([^\s?&;#=/]+)=")
# Parts of the names that cameras and brokers give to options with a secret: access_token, loginpas, api_key, auth...
_SECRET = re.compile(r"token|pas|pwd|secret|key|auth|sig|cred|session|jwt", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """An address that may be shown and logged, whatever was typed; what stands before its last @ is left out.

    Args:
        text: any text; it need not be an address, nor one that is spelled right.
    """
    before, mark, rest = text.partition("://")
    if mark:
        return (
            _without_user(before, "@" in before) + mark + _without_options(_without_user(rest, "@" in rest))
        )
    return _without_options(_without_user(text, _USER.match(text) is not None))


def quote_user(text: str) -> str:
    """An address in which the user's name and password are percent-encoded where they have to be.

    ``rtsp://admin:pa/ss@camera/live`` becomes ``rtsp://admin:pa%2Fss@camera/live``. What is encoded already stays.

    Args:
        text: any text; one that is not an address with a user comes back as it is.
    """
    match = _SCHEME.fullmatch(text)
    if match is None:
        return text
    scheme, rest = match.groups()
    end = _end_of_user(rest)
    if end is None:
        return text
    user, colon, password = rest[:end].partition(":")
    safe = "%!$&'()*+,;=~-._"
    return f"{scheme}://{quote(user, safe=safe)}{colon}{quote(password, safe=safe)}@{rest[end + 1 :]}"


def check_address(text: str) -> str | None:
    """Why an address cannot be one; None when it can."""
    try:
        parts = urlsplit(quote_user(text))
        port, host = parts.port, parts.hostname
    except ValueError as error:
        reason = str(error).lower()
        if "port" in reason:
            return "its port is not a number from 1 to 65535"
        return "a bracket around its host is missing" if "ipv6" in reason else "it cannot be taken apart"
    if port == 0:
        return "its port is not a number from 1 to 65535"
    return None if host else "it has no host"


def _without_user(text: str, has_user: bool) -> str:
    return "...@" + text.rpartition("@")[2] if has_user else text


def _without_options(text: str) -> str:
    """Replace the values of options whose names, percent-encoded or not, look like those of secrets; each reaches to the next & or #."""
    shown, place = "", 0
    for option in _OPTION.finditer(text):
        if option.start() < place or not _SECRET.search(unquote(option[1])):
            continue
        end = re.compile(r"[&#]|$").search(text, option.end())
        shown += text[place : option.end()] + "..."
        place = len(text) if end is None else end.start()
    return shown + text[place:]


def _end_of_user(rest: str) -> int | None:
    """Find the @ that ends the user's name and password; None without one."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority and _HOST.match(authority.rpartition("@")[2]):
        return authority.rindex("@")
    # A password with / ? or #: the last @ behind which a host can begin.
    if ":" not in authority or re.fullmatch(r".*:\d+|\[.*\].*", authority):
        return None
    ends = [match.start() for match in re.finditer("@", rest) if _HOST.match(rest, match.end())]
    return ends[-1] if ends else None
