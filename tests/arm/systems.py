"""The systems that are emulated: what Raspberry Pi OS is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class System:
    """A release of Debian.

    Attributes:
        name: of the release.
        title: for people.
        python: version of its Python.
        glibc_minor: of its C library, 2.x; pip takes a wheel for this one or an older one.
        like_here: packages in the versions of this environment; else the newest ones, which a user gets.
    """

    name: str
    title: str
    python: str
    glibc_minor: int
    like_here: bool

    @property
    def packages(self) -> tuple[str, ...]:
        """Debian packages: what Python, numpy, OpenCV (headless), ONNX Runtime and LiteRT load."""
        return (f"python{self.python}", "libstdc++6", "libgomp1", "libatomic1")


SYSTEMS = {
    system.name: system
    for system in (
        System("bookworm", "Debian 12 arm64", "3.11", 36, like_here=True),
        System("trixie", "Debian 13 arm64", "3.13", 41, like_here=False),
    )
}
