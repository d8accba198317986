"""The certificate of the page: given, or made for this machine and kept."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import socket
import ssl
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from edgeau._system.atomic_file import AtomicFile
from edgeau._system.install_lines import extra_line
from edgeau.errors import DependencyError, UsageError

if TYPE_CHECKING:  # of an extra; it is imported when a certificate is made
    from cryptography import x509

__all__ = ["Encryption", "given_certificate", "own_certificate", "state_directory"]

_DAYS = 397  # the longest that browsers accept
_AHEAD = timedelta(days=30)  # made anew so long before its end


@dataclass(frozen=True)
class Encryption:
    """Encryption that ``--tls`` asked for.

    Attributes:
        certificate: PEM file; None has this machine make one.
        key: PEM file; None where the certificate's file holds the key too.
    """

    certificate: Path | None = None
    key: Path | None = None

    def context(self, host: str) -> ssl.SSLContext:
        """Make the context of TLS; the digest of a certificate that is made is told on stderr.

        Args:
            host: that the page listens on.

        Raises:
            UsageError: the certificate cannot be used.
            DependencyError: one shall be made, and cryptography is not installed.
        """
        if self.certificate is not None:
            return given_certificate(self.certificate, self.key)
        context, fingerprint = own_certificate(host)
        print(
            f"edgeau-live: the page's certificate is this machine's own; browsers warn about it once, and show SHA-256 {fingerprint}",
            file=sys.stderr,
        )
        return context


def given_certificate(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """TLS with somebody's certificate.

    Args:
        certificate: PEM: the certificate first, then those between it and what browsers trust.
        key: PEM; None where the certificate's file holds it too.

    Raises:
        UsageError: the files cannot be read, or do not fit each other.
    """
    for path in (certificate, key):
        if path is not None and not path.is_file():
            raise UsageError(f"--tls: there is no file {path}")
    context = _context()

    def no_password() -> str:
        raise ValueError("the key is encrypted, and there is no way to ask for its password")

    try:
        context.load_cert_chain(certificate, key, no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise UsageError(
            f"--tls: {certificate}{'' if key is None else f' and {key}'} are not a certificate and its key in PEM ({error}); "
            "--tls-key FILE names the key where the certificate's file does not hold it"
        ) from error
    return context


def own_certificate(host: str) -> tuple[ssl.SSLContext, str]:
    """TLS with a certificate that this machine makes for itself, and keeps, so that browsers ask about it once.

    Args:
        host: that the page listens on; its name and address stand in the certificate, with those of this machine.

    Returns:
        The context, and the certificate's SHA-256 as browsers show it, by which a viewer can tell it from somebody else's.

    Raises:
        DependencyError: cryptography is not installed.
        OutputError: there is no place to keep it.
    """
    try:
        from cryptography import x509
    except ImportError as error:
        raise DependencyError(
            f"making a certificate needs cryptography ({error}): {extra_line('signing')}"
        ) from error
    names = _names(host)
    file = state_directory() / "page.pem"
    certificate = _kept(file, names)
    if certificate is None:
        certificate = _made(file, names)
    context = _context()
    context.load_cert_chain(file)
    from cryptography.hazmat.primitives.serialization import Encoding

    assert isinstance(certificate, x509.Certificate)
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest().upper()
    return context, ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))


def state_directory() -> Path:
    """``$XDG_STATE_HOME/edgeau``, or ``~/.local/state/edgeau``: what may not be lost, other than a cache.

    Raises:
        UsageError: the user has no home directory.
    """
    given = os.environ.get("XDG_STATE_HOME", "")
    try:
        base = Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise UsageError(
            f"there is no home directory to keep a certificate in ({error}): set XDG_STATE_HOME"
        ) from error
    return base / "edgeau"


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _names(host: str) -> list[str]:
    """Names and addresses by which viewers reach this machine."""
    own = socket.gethostname()
    found = ["localhost", own, f"{own}.local", "127.0.0.1", "::1"]
    if host not in ("", "0.0.0.0", "::"):  # noqa: S104 - nothing is bound here
        found.append(host)
    else:
        with suppress(OSError):  # a name that nobody resolves
            found += sorted({str(entry[4][0]) for entry in socket.getaddrinfo(own, None)})
    return list(dict.fromkeys(found))


def _alternatives(names: list[str]) -> list[x509.GeneralName]:
    from cryptography import x509

    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name.partition("%")[0])))
        except ValueError:  # noqa: PERF203 - a handful
            found.append(x509.DNSName(name))
    return found


def _kept(file: Path, names: list[str]) -> x509.Certificate | None:
    """The certificate of last time; None where there is none, its key is not with it, it ends soon, or it is of other names."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        content = file.read_bytes()
        certificate = x509.load_pem_x509_certificate(content)
        own = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        key = load_pem_private_key(content, None)
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):  # TypeError: the key has a password
        return None
    if key.public_key() != certificate.public_key():
        return None
    now = datetime.now(timezone.utc)
    holds = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc - _AHEAD
    return certificate if holds and list(own) == _alternatives(names) else None


def _made(file: Path, names: list[str]) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"edgeau-live on {socket.gethostname()}"[:64])])
    begin = datetime.now(timezone.utc) - timedelta(days=1)  # for viewers whose clocks are behind
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    with AtomicFile(file) as whole:
        whole.temporary.chmod(0o600)
        whole.temporary.write_bytes(
            certificate.public_bytes(Encoding.PEM)
            + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
    return certificate
