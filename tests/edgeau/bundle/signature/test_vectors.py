"""The public vectors of OpenSSF Model Signing v1 (ossf/model-signing-spec, a0c91e2) that need no network."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from edgeau.bundle.signature.envelope import encoded, read_envelope
from edgeau.bundle.signature.statement import payload_of, signed_files
from edgeau.bundle.signature.trust import TrustedSigners
from edgeau.errors import BundleError

_INVALID = {
    "empty": "is not JSON",
    "missing-envelope": "has no dsseEnvelope",
    "missing-tlog-entries": "must have tlogEntries",
    "missing-verification-material": "has no verificationMaterial",
}


@pytest.fixture
def vectors(shared_data: Path) -> Path:
    folder = shared_data / "oms-v1" / "test-vectors" / "v1.0"
    if not folder.is_dir():
        pytest.skip("no oms-v1 in ../shared/data")
    return folder


@pytest.fixture
def trusted(vectors: Path, tmp_path: Path) -> dict[str, TrustedSigners]:
    """The key that made both, its certificate, and the one that issued it: the vectors carry them."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    leaf, issuer = map(
        x509.load_der_x509_certificate,
        read_envelope(vectors / "valid" / "certificate.bundle.json").certificates,
    )
    pem = {
        "key": leaf.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "certificate": leaf.public_bytes(Encoding.PEM),
        "issuer": issuer.public_bytes(Encoding.PEM),
    }
    for name, content in pem.items():
        (tmp_path / f"{name}.pem").write_bytes(content)
    return {name: TrustedSigners.read(tmp_path / f"{name}.pem") for name in pem}


@pytest.mark.parametrize(
    ("vector", "by"), [("key", "key"), ("certificate", "certificate"), ("certificate", "issuer")]
)
def test_a_valid_signature_is_verified(
    vectors: Path, trusted: dict[str, TrustedSigners], vector: str, by: str
) -> None:
    envelope = read_envelope(vectors / "valid" / f"{vector}.bundle.json")
    assert trusted[by].verify(envelope)
    signed = signed_files(envelope.payload)
    assert set(signed.digests) == {"signme-1", "signme-2"}
    assert signed.is_ignored(".git/config")
    assert not signed.is_ignored("signme-1")


@pytest.mark.parametrize(("vector", "by"), [("key", "issuer"), ("certificate", "key")])
def test_nobody_else_is_believed(
    vectors: Path, trusted: dict[str, TrustedSigners], vector: str, by: str
) -> None:
    envelope = read_envelope(vectors / "valid" / f"{vector}.bundle.json")
    with pytest.raises(ValueError, match="trusted"):
        trusted[by].verify(envelope)


@pytest.mark.parametrize("vector", _INVALID)
def test_what_is_no_signature_is_refused(vectors: Path, vector: str) -> None:
    with pytest.raises(BundleError, match=_INVALID[vector]):
        read_envelope(vectors / "invalid" / f"{vector}.bundle.json")


def test_every_vector_is_looked_at(vectors: Path) -> None:
    """All eight of that commit; of these ``sigstore`` is the one that only a verifier of the keyless method, with its log, can call valid."""
    of = {
        "valid": {"key", "certificate", "sigstore"},
        "invalid": set(_INVALID),
        "invalid-payload": {"wrong-predicate"},
    }
    found = {
        folder.name: {file.name.removesuffix(".bundle.json") for file in folder.iterdir()}
        for folder in vectors.iterdir()
    }
    assert found == of


def test_a_statement_about_something_else_is_refused(
    vectors: Path, trusted: dict[str, TrustedSigners]
) -> None:
    envelope = read_envelope(vectors / "invalid-payload" / "wrong-predicate.bundle.json")
    with pytest.raises(
        ValueError, match="none of the trusted keys"
    ):  # its payload was changed after it was signed
        trusted["key"].verify(envelope)
    with pytest.raises(ValueError, match="wrong-predicate"):
        signed_files(envelope.payload)


def test_the_keyless_method_is_refused_by_name(vectors: Path) -> None:
    with pytest.raises(BundleError, match="keyless method"):
        read_envelope(vectors / "valid" / "sigstore.bundle.json")


def test_every_bit_of_payload_and_signature_counts(vectors: Path, trusted: dict[str, TrustedSigners]) -> None:
    envelope = read_envelope(vectors / "valid" / "key.bundle.json")
    for field in ("payload", "signature"):
        content = bytearray(getattr(envelope, field))
        for place in range(0, len(content), 7):
            changed = bytes(content[:place]) + bytes([content[place] ^ 1]) + bytes(content[place + 1 :])
            with pytest.raises(ValueError):
                trusted["key"].verify(type(envelope)(**{**vars(envelope), field: changed}))


def test_what_edgeau_signs_is_by_the_schemas(shared_data: Path, vectors: Path, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from referencing import Registry, Resource

    from edgeau.bundle.signature import Signer

    schemas = [
        json.loads(file.read_text())
        for file in sorted((shared_data / "oms-v1" / "schemas" / "v1.0").glob("*.json"))
    ]
    registry = Registry().with_resources((one["$id"], Resource.from_contents(one)) for one in schemas)

    def check(kind: str, document: object) -> None:
        schema = next(one for one in schemas if one["$id"] == f"https://model_signing/{kind}/v1.0/schema")
        jsonschema.Draft202012Validator(schema, registry=registry).validate(document)

    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "folder" / "inner" / "file").write_bytes(b"content")
    payload = payload_of(tmp_path / "folder")
    check("statement", json.loads(payload))
    key = tmp_path / "key.pem"
    write_key(key)
    document = json.loads(Signer(key).sign(payload))
    check("bundle", document)
    envelope = read_envelope(vectors / "valid" / "certificate.bundle.json")
    check("bundle", encoded(envelope, ""))
    assert base64.b64decode(document["dsseEnvelope"]["payload"]) == payload


def write_key(path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP384R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
