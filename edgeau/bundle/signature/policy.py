"""The demand of a device on a bundle before it is opened: nothing, a warning, or the signature of somebody whom it trusts."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from edgeau.bundle.files import SIGNATURE
from edgeau.bundle.packaged import is_packaged
from edgeau.bundle.signature.envelope import read_envelope
from edgeau.bundle.signature.statement import SignedFiles, signed_files
from edgeau.bundle.signature.trust import TrustedSigners
from edgeau.bundle.signature.verified_copy import verified_copy
from edgeau.errors import BundleError, UsageError

__all__ = ["MODE", "MODES", "TRUST", "SignaturePolicy", "verify_signature"]

_log = logging.getLogger(__name__)

MODES = ("off", "warn", "require")
MODE = "EDGEAU_SIGNATURES"
"""Environment variable: one of :data:`MODES`."""
TRUST = "EDGEAU_TRUST"
"""Environment variable: the PEM file, or the folder of them, that says who is trusted."""


@dataclass(frozen=True)
class SignaturePolicy:
    """The demand on bundles, and who may have signed them.

    Attributes:
        mode: ``"off"`` looks at no signature; ``"warn"`` says what is wrong and goes on; ``"require"`` opens only what somebody
            trusted signed, every file of it, and reads it from a copy of its own, so that nothing is exchanged after it was verified.
        trust: a PEM file of public keys and certificates, or a folder of them; None trusts nobody.

    Raises:
        UsageError: the mode is not known, or asks for a signature while nobody is trusted.
    """

    mode: str = "off"
    trust: Path | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(
                f"{self.mode!r} is not a policy for signatures ({MODE}, --signatures); there are {', '.join(MODES)}"
            )
        if self.mode != "off" and self.trust is None:
            raise UsageError(
                f"signatures are to be verified ({self.mode}), but no key is trusted: give a public key or certificate with "
                f"--trust FILE or {TRUST}"
            )

    @classmethod
    def of(cls, mode: str | None = None, trust: Path | None = None) -> SignaturePolicy:
        """The policy of arguments, and where they say nothing, of the environment (:data:`MODE`, :data:`TRUST`).

        Who names somebody to trust and no mode means ``"require"``; with neither it is ``"off"``.

        Raises:
            UsageError: see the class.
        """
        named = os.environ.get(TRUST, "").strip()
        trust = trust or (Path(named) if named else None)
        mode = mode or os.environ.get(MODE, "").strip() or ("off" if trust is None else "require")
        return cls(mode, trust)

    def apply(self, folder: Path) -> Path:
        """Do what the policy says with a bundle that is about to be opened.

        The bundles that the package carries are let through: they come with the code that verifies.

        Args:
            folder: of the bundle.

        Returns:
            The folder to read it from.

        Raises:
            BundleError: its signature is missing or wrong, and the policy is ``"require"``.
            DependencyError: cryptography is not installed.
            UsageError: the file that says who is trusted cannot be read.
        """
        if self.mode == "off" or self.trust is None:
            return folder
        place = folder.resolve()
        if is_packaged(place):
            return place  # where a link led when it was looked at, whatever becomes of it
        trusted = TrustedSigners.read(self.trust)
        try:
            signer, signed = verify_signature(folder, trusted)
        except BundleError as error:
            if self.mode == "require":
                raise
            _log.warning("%s", error)
            return folder
        _log.info("%s is signed by %s", folder, signer)
        return folder if self.mode == "warn" else verified_copy(folder, signed)


def verify_signature(folder: Path, trusted: TrustedSigners) -> tuple[str, SignedFiles]:
    """Verify the signature of a folder and every file below it.

    Args:
        folder: with ``model.sig`` in it.
        trusted: who may have signed.

    Returns:
        Who signed, for people; and what.

    Raises:
        BundleError: it is not signed, by nobody who is trusted, or not as it was signed.
    """
    path = folder / SIGNATURE
    if not path.exists():
        raise BundleError(
            f"bundle {folder} is not signed (it has no {SIGNATURE}); sign it where it is made: edgeau-export --sign KEY"
        )
    envelope = read_envelope(path)
    try:
        signer = trusted.verify(envelope)
        signed = signed_files(envelope.payload)
    except ValueError as error:
        raise BundleError(f"bundle {folder} is not signed by a key that you trust: {error}") from error
    signed.check(folder)
    return signer, signed
