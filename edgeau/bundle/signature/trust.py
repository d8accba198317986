"""Trusted signers: public keys and certificates in PEM files, and the check of a signature against them."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeau._system.install_lines import extra_line
from edgeau.bundle.signature.envelope import Envelope, pre_authentication
from edgeau.errors import DependencyError, UsageError

if TYPE_CHECKING:  # of an extra; it is imported when a signature is asked for
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.x509 import Certificate

__all__ = ["TrustedSigners", "elliptic", "fingerprint", "hash_of", "import_cryptography"]

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_LONGEST_CHAIN = 8  # certificates that a signature may bring
# What a certificate may demand that we understand (RFC 5280, section 4.2: anything else that is critical must be refused).
_UNDERSTOOD = {
    "2.5.29.19",
    "2.5.29.15",
    "2.5.29.37",
    "2.5.29.17",
}  # basicConstraints, keyUsage, extendedKeyUsage, subjectAltName


@dataclass(frozen=True)
class TrustedSigners:
    """Keys and certificates, one of which must have signed.

    Attributes:
        keys: public keys of signers, ECDSA on P-256, P-384 or P-521.
        certificates: of signers themselves, or of those who issued theirs.
    """

    keys: tuple[EllipticCurvePublicKey, ...] = ()
    certificates: tuple[Certificate, ...] = ()

    @classmethod
    def read(cls, path: Path) -> TrustedSigners:
        """Read a PEM file, or every ``.pem``, ``.pub`` and ``.crt`` of a folder.

        Raises:
            UsageError: nothing is there that can be trusted, or a private key, which belongs on no device.
            DependencyError: cryptography is not installed.
        """
        import_cryptography()
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization

        refused: tuple[type[Exception], ...] = (ValueError, *_odd())
        keys: list[EllipticCurvePublicKey] = []
        certificates: list[Certificate] = []
        for file, kind, block in _blocks(path):
            try:
                if kind == "PUBLIC KEY":
                    keys.append(elliptic(serialization.load_pem_public_key(block)))
                elif kind == "CERTIFICATE":
                    certificates.append(x509.load_pem_x509_certificate(block))
                elif "PRIVATE" in kind:
                    raise UsageError(
                        f"{file} holds a private key, which must not be on a device: give the public one (openssl pkey -pubout)"
                    )
            except refused as error:  # noqa: PERF203 - there are few
                raise UsageError(f"{file} cannot be trusted: {error}") from error
        if not keys and not certificates:
            raise UsageError(
                f"{path} holds no public key and no certificate in PEM, so there would be no trusted signer"
            )
        return cls(tuple(keys), tuple(certificates))

    def verify(self, envelope: Envelope) -> str:
        """Verify a signature.

        Returns:
            Who signed, for people: the subject of a certificate, or the fingerprint of a key.

        Raises:
            ValueError: nobody of these signed it; the message says why.
        """
        if envelope.certificates:
            return self._by_certificate(envelope)
        for key in self.keys:
            if _signed(key, envelope):
                return f"key {fingerprint(key)[:16]}"
        raise ValueError(
            "none of the trusted keys made this signature, or it was changed"
            if self.keys
            else "it was signed with a key, and certificates alone are trusted"
        )

    def _by_certificate(self, envelope: Envelope) -> str:
        from cryptography import x509

        if len(envelope.certificates) > _LONGEST_CHAIN:
            raise ValueError(
                f"it brings {len(envelope.certificates)} certificates, {_LONGEST_CHAIN} are allowed"
            )
        try:
            chain = [x509.load_der_x509_certificate(der) for der in envelope.certificates]
            leaf = chain[0]
            key = elliptic(leaf.public_key())
            _check_leaf(leaf)
            if not self._leads_here(leaf, chain[1:]):
                raise ValueError(
                    f"the certificate of {_name(leaf)!r} does not chain to a trusted certificate"
                )
        except _odd() as error:
            raise ValueError(f"a certificate is damaged, or of an unknown kind: {error}") from error
        if not _signed(key, envelope):
            raise ValueError("the key of its certificate did not make this signature, or it was changed")
        return f"{_name(leaf)}, certificate {leaf.serial_number:x}"

    def _leads_here(self, leaf: Certificate, others: list[Certificate]) -> bool:
        """Tell whether a path of issuers leads from a certificate to a trusted one.

        Times are compared with the day on which the signer's certificate began, as the format's own library does: a device
        without a clock can verify, and a signature does not end with the certificate. Take one back by trusting it no more.
        """
        from cryptography.hazmat.primitives.serialization import Encoding

        when = leaf.not_valid_before_utc
        trusted = {one.public_bytes(Encoding.DER) for one in self.certificates}

        # Level by level, each certificate once: many that issued each other have more paths than can be walked. The level on which
        # one is first met is the one that its path length (fewest issuers below it) is most generous to.
        left = {one.public_bytes(Encoding.DER): one for one in (*self.certificates, *others)}
        level = {leaf.public_bytes(Encoding.DER): leaf}
        for depth in range(_LONGEST_CHAIN + 1):
            if trusted & level.keys():
                return True
            level = {
                der: issuer
                for der, issuer in left.items()
                if der not in level and any(_issued(issuer, one, depth, when) for one in level.values())
            }
            for der in level:
                del left[der]
        return False


def _odd() -> tuple[type[Exception], ...]:
    """Whatever cryptography raises of certificates and keys that it does not know, beside ValueError."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    return (
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    )


def import_cryptography() -> None:
    """Find out whether the package is there.

    Raises:
        DependencyError: it is not.
    """
    try:
        import cryptography.x509  # noqa: F401
    except ImportError as error:
        raise DependencyError(f"signatures need cryptography ({error}): {extra_line('signing')}") from error


def elliptic(key: Any) -> EllipticCurvePublicKey:
    """A public key that Model Signing v1 knows.

    Raises:
        ValueError: it is of another kind.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _CURVES:
        raise ValueError("it is not an ECDSA key on P-256, P-384 or P-521")
    return key


_CURVES = {"secp256r1": "SHA256", "secp384r1": "SHA384", "secp521r1": "SHA512"}


def hash_of(key: EllipticCurvePublicKey) -> Any:
    """The hash that goes with a key's curve, for ``ec.ECDSA``."""
    from cryptography.hazmat.primitives import hashes

    return getattr(hashes, _CURVES[key.curve.name])()


def fingerprint(key: EllipticCurvePublicKey) -> str:
    """SHA-256 of a public key in PEM, hex: the hint of a signature file."""
    import hashlib

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _signed(key: EllipticCurvePublicKey, envelope: Envelope) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key.verify(envelope.signature, pre_authentication(envelope.payload), ec.ECDSA(hash_of(key)))
    except InvalidSignature:
        return False
    return True


def _check_leaf(leaf: Certificate) -> None:
    """The signer's certificate must be one for signatures."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    _check_critical(leaf)
    usage, extended = _extension(leaf, x509.KeyUsage), _extension(leaf, x509.ExtendedKeyUsage)
    if usage is not None and not usage.digital_signature:
        raise ValueError(f"the certificate of {_name(leaf)!r} is not for signatures (keyUsage)")
    code = (ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    if extended is not None and not any(purpose in code for purpose in extended):
        raise ValueError(f"the certificate of {_name(leaf)!r} is not for signing code (extendedKeyUsage)")


def _issued(issuer: Certificate, certificate: Certificate, below: int, when: Any) -> bool:
    """Tell whether one certificate was issued by another that could. ``below``: issuers between it and the signer."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    refused: tuple[type[Exception], ...] = (ValueError, TypeError, InvalidSignature, *_odd())
    try:
        certificate.verify_directly_issued_by(issuer)
        _check_critical(issuer)
    except refused:
        return False
    basic, usage = _extension(issuer, x509.BasicConstraints), _extension(issuer, x509.KeyUsage)
    return (
        basic is not None
        and basic.ca
        and (basic.path_length is None or basic.path_length >= below)
        and (usage is None or usage.key_cert_sign)
        and issuer.not_valid_before_utc <= when <= issuer.not_valid_after_utc
    )


def _extension(certificate: Certificate, kind: Any) -> Any:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _check_critical(certificate: Certificate) -> None:
    odd = [one.oid.dotted_string for one in certificate.extensions if one.critical]
    odd = [oid for oid in odd if oid not in _UNDERSTOOD]
    if odd:
        raise ValueError(
            f"the certificate of {_name(certificate)!r} demands {odd[0]}, which is not understood here"
        )


def _name(certificate: Certificate) -> str:
    return certificate.subject.rfc4514_string()


def _content(file: Path) -> bytes:
    if not stat.S_ISREG(file.stat().st_mode):
        raise UsageError(f"{file}, which says who is trusted, is not a file")
    return file.read_bytes()


def _blocks(path: Path) -> list[tuple[Path, str, bytes]]:
    try:
        files = (
            sorted(one for one in path.iterdir() if one.suffix in (".pem", ".pub", ".crt"))
            if path.is_dir()
            else [path]
        )
        contents = [(file, _content(file)) for file in files]
    except OSError as error:
        raise UsageError(f"{path}, which says who is trusted, cannot be read: {error.strerror}") from error
    return [
        (file, match[1].decode(), match[0])
        for file, content in contents
        for match in _BLOCK.finditer(content)
    ]
