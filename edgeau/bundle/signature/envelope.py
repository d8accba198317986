"""The file ``model.sig``: a Sigstore bundle with a DSSE envelope, read strictly."""

from __future__ import annotations

import base64
import binascii
import stat
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeau._system.json_text import parse_json
from edgeau.errors import BundleError

__all__ = ["MEDIA_TYPE", "PAYLOAD_TYPE", "Envelope", "encoded", "pre_authentication", "read_envelope"]

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
_MEDIA_TYPES = "application/vnd.dev.sigstore.bundle"
_MOST = 16 << 20  # bytes: a statement takes some 150 for each file of a bundle


@dataclass(frozen=True)
class Envelope:
    """Content of a signature file; nothing of it is believed yet.

    Attributes:
        payload: the in-toto statement, as signed.
        signature: of :func:`pre_authentication` of the payload.
        certificates: DER, the signer's first; none where it was signed with a key alone.
    """

    payload: bytes
    signature: bytes
    certificates: tuple[bytes, ...] = ()


def pre_authentication(payload: bytes) -> bytes:
    """The bytes that a signature is made over (DSSE v1.0.2, protocol.md: PAE)."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def encoded(envelope: Envelope, hint: str) -> dict[str, Any]:
    """An envelope as JSON values of the file.

    Args:
        envelope: to write.
        hint: which key signed it, SHA-256 of its public half in PEM, hex; used where there are no certificates.
    """
    chain = [{"rawBytes": _base64(der)} for der in envelope.certificates]
    signer: dict[str, Any] = (
        {"x509CertificateChain": {"certificates": chain}} if chain else {"publicKey": {"hint": hint}}
    )
    return {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {**signer, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": _base64(envelope.payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": _base64(envelope.signature), "keyid": ""}],
        },
    }


def read_envelope(path: Path) -> Envelope:
    """Read a signature file.

    Raises:
        BundleError: it is missing, is not a Sigstore bundle with one DSSE signature, or was signed by a method that is not known here.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise _refused(path, "it is a link or no file")
        with path.open("rb") as file:
            content = file.read(_MOST + 1)
        if len(content) > _MOST:
            raise _refused(path, f"it has more than {_MOST:,} bytes")
        document = parse_json(content)
    except OSError as error:
        raise _refused(path, error.strerror or "it cannot be read") from error
    except ValueError as error:
        raise _refused(path, f"it is not JSON: {error}") from error
    try:
        return _envelope(document)
    except ValueError as error:
        raise _refused(path, str(error)) from error


def _envelope(document: Any) -> Envelope:
    top = _fields(document, "the file", ("mediaType", "verificationMaterial", "dsseEnvelope"))
    if not _text(top["mediaType"], "mediaType").startswith(_MEDIA_TYPES):
        raise ValueError(f"mediaType is {top['mediaType']!r}, not {_MEDIA_TYPES}...")
    envelope = _fields(top["dsseEnvelope"], "dsseEnvelope", ("payload", "payloadType", "signatures"))
    if envelope["payloadType"] != PAYLOAD_TYPE:
        raise ValueError(f"payloadType is {envelope['payloadType']!r}, not {PAYLOAD_TYPE}")
    signatures = envelope["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise ValueError("dsseEnvelope must hold one signature")
    signature = _fields(signatures[0], "the signature", ("sig",), ("keyid",))
    return Envelope(
        _decoded(envelope["payload"], "payload"),
        _decoded(signature["sig"], "sig"),
        _certificates(top["verificationMaterial"]),
    )


def _certificates(material: Any) -> tuple[bytes, ...]:
    if not isinstance(material, dict):
        raise ValueError("verificationMaterial is missing")  # noqa: TRY004 - a ValueError like every other fault of the file
    kinds = [kind for kind in ("publicKey", "x509CertificateChain", "certificate") if kind in material]
    if len(kinds) != 1:
        raise ValueError(
            "verificationMaterial must name one of publicKey, x509CertificateChain and certificate"
        )
    if kinds[0] == "certificate":
        if not material.get("tlogEntries"):
            raise ValueError("a keyless signature must have tlogEntries")
        raise ValueError(
            "it was made by the keyless method, which needs the log of Sigstore: sign with a key or a certificate of your own"
        )
    if kinds[0] == "publicKey":
        key = material["publicKey"]
        if not isinstance(key, dict) or not {"hint", "rawBytes"} & key.keys():
            raise ValueError("publicKey has neither hint nor rawBytes")
        return ()
    chain = material["x509CertificateChain"]
    certificates = chain.get("certificates") if isinstance(chain, dict) else None
    if not isinstance(certificates, list) or not certificates:
        raise ValueError("x509CertificateChain has no certificates")
    return tuple(
        _decoded(one.get("rawBytes") if isinstance(one, dict) else None, "rawBytes") for one in certificates
    )


def _fields(value: Any, where: str, needed: Collection[str], allowed: Collection[str] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is not a JSON object")  # noqa: TRY004
    missing = [name for name in needed if name not in value]
    if missing:
        raise ValueError(f"{where} has no {missing[0]}")
    odd = sorted(value.keys() - set(needed) - set(allowed))
    if odd:
        raise ValueError(f"{where} has {odd[0]!r}, which Model Signing v1 does not know")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{where} is not text")  # noqa: TRY004
    return value


def _decoded(value: Any, where: str) -> bytes:
    try:
        content = base64.b64decode(_text(value, where), validate=True)
    except binascii.Error as error:
        raise ValueError(f"{where} is not base64") from error
    if not content:
        raise ValueError(f"{where} is empty")
    return content


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _refused(path: Path, why: str) -> BundleError:
    return BundleError(f"signature {path}: {why}; export and sign the bundle again")
