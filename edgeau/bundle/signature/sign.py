"""Signing a bundle where it is made."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from edgeau._system.atomic_file import write_whole
from edgeau.bundle.files import SIGNATURE
from edgeau.bundle.signature.envelope import Envelope, encoded, pre_authentication
from edgeau.bundle.signature.statement import payload_of
from edgeau.bundle.signature.trust import elliptic, fingerprint, hash_of, import_cryptography
from edgeau.errors import UsageError

if TYPE_CHECKING:  # of an extra; it is imported when a signature is asked for
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

__all__ = ["PASSWORD", "Signer", "sign_bundle"]

PASSWORD = "EDGEAU_SIGNING_PASSWORD"  # noqa: S105 - the name of a variable
"""Environment variable with the password of an encrypted key."""


class Signer:
    """A private key, and the certificates that say whose it is.

    Args:
        key: PEM file of an ECDSA key on P-256, P-384 or P-521; where it is encrypted, :data:`PASSWORD` opens it.
        certificates: PEM file: the certificate of the key first, then those who issued it; None signs with the key alone.

    Raises:
        UsageError: a file cannot be read, is no such key, or the certificate is of another one.
        DependencyError: cryptography is not installed.
    """

    def __init__(self, key: Path, certificates: Path | None = None) -> None:
        import_cryptography()
        self._key = _private_key(key)
        self._certificates = () if certificates is None else _certificates(certificates, self._key)

    def sign(self, payload: bytes) -> str:
        """The signature file of a statement, JSON."""
        from cryptography.hazmat.primitives.asymmetric import ec

        public = self._key.public_key()
        signature = self._key.sign(pre_authentication(payload), ec.ECDSA(hash_of(public)))
        document = encoded(Envelope(payload, signature, self._certificates), fingerprint(public))
        return json.dumps(document, indent=1) + "\n"


def sign_bundle(folder: Path, signer: Signer) -> None:
    """Sign every file below a folder; a signature that is there is replaced.

    Raises:
        BundleError: the folder holds a link.
        OutputError: the signature cannot be written.
    """
    write_whole(folder / SIGNATURE, signer.sign(payload_of(folder)).encode())


def _private_key(path: Path) -> EllipticCurvePrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    password = os.environ.get(PASSWORD)
    content = _content(path)
    try:
        key = serialization.load_pem_private_key(content, password.encode() if password else None)
        elliptic(key.public_key())
    except TypeError as error:  # encrypted without a password, or the other way round
        raise UsageError(f"key {path}: {error}; {PASSWORD} gives the password") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(
            f"key {path} cannot sign ({error}); make one with: openssl ecparam -name prime256v1 -genkey -noout -out key.pem"
        ) from error
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # its public half is
    return key


def _certificates(path: Path, key: EllipticCurvePrivateKey) -> tuple[bytes, ...]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        chain = x509.load_pem_x509_certificates(_content(path))
    except ValueError as error:
        raise UsageError(f"{path} holds no certificate in PEM ({error})") from error
    if chain[0].public_key() != key.public_key():
        raise UsageError(f"the first certificate of {path} is not of the key that signs")
    return tuple(one.public_bytes(Encoding.DER) for one in chain)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
