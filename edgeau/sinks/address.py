"""Addresses of sinks on a network, such as ``mqtts://user@host:8883/topic?qos=0``."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from edgeau._system.address_text import check_address, quote_user, without_secrets
from edgeau._system.did_you_mean import did_you_mean
from edgeau.errors import UsageError

__all__ = ["Address"]


@dataclass(frozen=True)
class Address:
    """A taken-apart address.

    Attributes:
        text: as it was given, without a password or token: for messages.
        scheme: such as ``"mqtt"``.
        host: name or number; empty when none was given.
        port: 1..65535 (0 lets the system choose, for servers), or None when none was given.
        path: behind the host, without slashes around it.
        user: and password, or None.
        options: behind the question mark.
    """

    text: str
    scheme: str
    host: str
    port: int | None
    path: str
    user: str | None
    password: str | None = field(repr=False)
    options: dict[str, str] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Take an address apart.

        Raises:
            UsageError: the port is none, there is a #, an option is given twice or without a value, or there are blanks around it.
        """
        shown = without_secrets(text)
        given, text = text, quote_user(text)
        try:
            parts = urlsplit(text)
            port = parts.port
            pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        except ValueError as error:
            why = check_address(given) or error
            raise UsageError(f"{shown!r} is not an address ({why}); one is SCHEME://HOST:PORT/...") from None
        if given != given.strip() or any(sign < " " for sign in given):  # which urlsplit would leave out
            raise UsageError(f"{shown!r} has blanks around it, or signs in it that are no text")
        if "#" in text:
            raise UsageError(
                f"{shown!r} has a #, which has no meaning here; write %23 if a name contains one"
            )
        options = dict(pairs)
        if len(options) < len(pairs):
            raise UsageError(f"{shown!r} gives an option twice")
        user, password = (value and unquote(value) for value in (parts.username, parts.password))
        return cls(
            shown, parts.scheme.lower(), parts.hostname or "", port, unquote(parts.path).strip("/"),
            user, password, options,
        )  # fmt: skip

    def check(
        self,
        form: str,
        *options: str,
        host: bool | None = True,
        port: bool | None = False,
        path: bool | None = False,
        user: bool = False,
    ) -> None:
        """Refuse an address that lacks what its sink needs, or says what the sink would not hear.

        Args:
            form: how such an address looks, for the message.
            options: names that the sink knows.
            host: whether it needs a host; None where it has no use for one.
            port: whether it needs a port; None likewise.
            path: whether it needs a path; None likewise.
            user: whether it has a use for a user's name and password.

        Raises:
            UsageError: it does not fit.
        """
        lacks = [
            name
            for name, needed, given in (
                ("host", host, self.host),
                ("port", port, self.port is not None),
                ("path", path, self.path),
            )
            if needed and not given
        ]
        if lacks:
            raise UsageError(f"{self.text!r} has no {lacks[0]}; such an address is {form}")
        unheard = [
            name
            for name, use, given in (
                ("host", host, self.host),
                ("port", port, self.port is not None),
                ("path", path, self.path),
                ("user's name", user or None, self.user is not None),
            )
            if use is None and given
        ]
        if unheard:
            raise UsageError(
                f"{self.text!r} has a {unheard[0]}, which has no use here; such an address is {form}"
            )
        strange = sorted(set(self.options) - set(options))
        if strange:
            known = ", ".join(options) or "none"
            raise UsageError(
                f"{self.text!r}: unknown option {strange[0]!r}; {did_you_mean(strange[0], options)}known: {known}"
            )

    def number(self, option: str, default: float, least: float, most: float) -> float:
        """A numeric option.

        Raises:
            UsageError: it is not a number, or outside of its limits.
        """
        given = self.options.get(option)
        try:
            value = default if given is None else float(given)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise UsageError(f"{self.text!r}: {option} must be {least:g}..{most:g}, got {given!r}")
        return float(value)

    def whole_number(self, option: str, default: int, least: int, most: int) -> int:
        """A numeric option that counts something.

        Raises:
            UsageError: it is not a whole number, or outside of its limits.
        """
        value = self.number(option, default, least, most)
        if not value.is_integer():
            raise UsageError(f"{self.text!r}: {option} must be a whole number, got {self.options[option]!r}")
        return int(value)
