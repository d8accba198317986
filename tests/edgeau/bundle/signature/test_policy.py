"""What a device opens, by its policy: one changed byte, a swapped file, an unlisted file, another signer are refused in one line."""

from __future__ import annotations

import base64
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edgeau import Pipeline, load_bundle
from edgeau.bundle import SignaturePolicy
from edgeau.bundle.files import MANIFEST, SIGNATURE
from edgeau.bundle.signature import Signer, sign_bundle, verified_copy
from edgeau.errors import BundleError, UsageError

MakeBundle = Callable[..., Path]


class Person:
    """Somebody with a key, its public half in a file, and certificates."""

    def __init__(self, folder: Path, name: str, curve: ec.EllipticCurve | None = None) -> None:
        self.name, self.folder = name, folder
        self.key = ec.generate_private_key(curve or ec.SECP256R1())
        self.private, self.public = folder / f"{name}.key", folder / f"{name}.pub"
        self.private.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.public.write_bytes(
            self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )

    def certify(
        self, other: Person, *, ca: bool = False, code: bool = True, odd: bool = False, days: int = 30
    ) -> x509.Certificate:
        begin = datetime.now(timezone.utc) - timedelta(days=1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, other.name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .public_key(other.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        )
        if not ca:
            usage = ExtendedKeyUsageOID.CODE_SIGNING if code else ExtendedKeyUsageOID.SERVER_AUTH
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if odd:
            builder = builder.add_extension(
                x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), critical=True
            )
        return builder.sign(self.key, hashes.SHA256())


def write(path: Path, *certificates: x509.Certificate) -> Path:
    path.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))
    return path


@pytest.fixture(autouse=True)
def _no_policy_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("EDGEAU_SIGNATURES", "EDGEAU_TRUST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def maker(tmp_path: Path) -> Person:
    return Person(tmp_path, "maker")


@pytest.fixture
def stranger(tmp_path: Path) -> Person:
    return Person(tmp_path, "stranger")


@pytest.fixture
def signed(make_bundle: MakeBundle, maker: Person) -> Path:
    bundle = make_bundle("signed")
    sign_bundle(bundle, Signer(maker.private))
    return bundle


def required(person: Person) -> SignaturePolicy:
    return SignaturePolicy("require", person.public)


def test_a_signed_bundle_runs_from_a_copy_of_its_own(
    signed: Path, maker: Person, astronaut_landmarks: object, tmp_path: Path
) -> None:
    bundle = load_bundle(signed, signatures=required(maker))
    assert (tmp_path / "cache") in bundle.directory.parents
    assert bundle.directory.stat().st_mode & 0o077 == 0
    with Pipeline.load(signed, signatures=required(maker), threads=1) as pipeline:
        assert pipeline.bundle.digest == load_bundle(signed).digest
    # What happens to the folder from now on changes nothing of what was verified.
    (signed / "model.onnx").write_bytes(b"something else")
    assert bundle.path("model.onnx").read_bytes() != b"something else"
    with pytest.raises(BundleError, match="model.onnx has changed since it was signed"):
        load_bundle(signed, signatures=required(maker))


def one_byte(bundle: Path) -> str:
    file = bundle / "model.onnx"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    return "model.onnx has changed since it was signed"


def one_byte_and_its_digest(bundle: Path) -> str:
    one_byte(bundle)
    from edgeau.bundle.files import record_of

    manifest = json.loads((bundle / MANIFEST).read_text())
    record = record_of(bundle, "model.onnx")
    for entry in (*manifest["files"], *manifest["artifacts"]):
        if entry["file"] == "model.onnx":
            entry["sha256"] = record.sha256
    (bundle / MANIFEST).write_text(json.dumps(manifest))
    load_bundle(bundle)  # the manifest alone does not show it
    return "manifest.json has changed since it was signed"


def two_files_swapped(bundle: Path) -> str:
    golden, model = bundle / "golden.npz", bundle / "model.onnx"
    content = golden.read_bytes()
    golden.write_bytes(model.read_bytes())
    model.write_bytes(content)
    return "golden.npz has changed since it was signed"


def a_file_more(bundle: Path) -> str:
    (bundle / "more.bin").write_bytes(b"")
    return "more.bin was not signed"


def a_file_more_in_a_folder(bundle: Path) -> str:
    (bundle / "folder").mkdir()
    (bundle / "folder" / "more.so").write_bytes(b"x")
    return "folder/more.so was not signed"


def a_file_less(bundle: Path) -> str:
    (bundle / "golden.npz").unlink()
    return "golden.npz was signed and is missing"


def a_link(bundle: Path) -> str:
    (bundle / "golden.npz").rename(bundle.parent / "golden.npz")
    (bundle / "golden.npz").symlink_to(bundle.parent / "golden.npz")
    return "golden.npz is a link"


def bytes_more(bundle: Path) -> str:
    with (bundle / "model.onnx").open("ab") as file:
        file.write(b"\0")
    return "model.onnx has changed since it was signed"


def no_signature(bundle: Path) -> str:
    (bundle / SIGNATURE).unlink()
    return "is not signed (it has no model.sig)"


def another_signer(bundle: Path) -> str:
    sign_bundle(bundle, Signer(Person(bundle.parent, "other").private))
    return "none of the trusted keys made this signature"


def signature_of_another_bundle(bundle: Path) -> str:
    document = json.loads((bundle / SIGNATURE).read_text())
    document["dsseEnvelope"]["payload"] = document["dsseEnvelope"]["payload"].replace("e", "f", 1)
    (bundle / SIGNATURE).write_text(json.dumps(document))
    return "none of the trusted keys made this signature, or it was changed"


def a_damaged_signature(bundle: Path) -> str:
    (bundle / SIGNATURE).write_bytes((bundle / SIGNATURE).read_bytes()[:-40])
    return "it is not JSON"


_ATTACKS = (
    one_byte,
    one_byte_and_its_digest,
    two_files_swapped,
    a_file_more,
    a_file_more_in_a_folder,
    a_file_less,
    a_link,
    bytes_more,
    no_signature,
    another_signer,
    signature_of_another_bundle,
    a_damaged_signature,
)


@pytest.mark.parametrize("attack", _ATTACKS, ids=lambda attack: attack.__name__)
def test_it_is_refused_in_one_line(signed: Path, maker: Person, attack: Callable[[Path], str]) -> None:
    says = attack(signed)
    with pytest.raises(BundleError) as error:
        load_bundle(signed, signatures=required(maker))
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_warning_is_one_line_and_the_bundle_opens(
    signed: Path, maker: Person, caplog: pytest.LogCaptureFixture
) -> None:
    a_file_more(signed)
    with caplog.at_level(logging.WARNING):
        assert load_bundle(signed, signatures=SignaturePolicy("warn", maker.public)).directory == signed
    (line,) = [record.getMessage() for record in caplog.records]
    assert "more.bin was not signed" in line


def test_the_environment_says_it_for_every_program(
    signed: Path, maker: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEAU_TRUST", str(maker.public))
    assert load_bundle(signed).directory != signed  # who names somebody to trust requires it
    monkeypatch.setenv("EDGEAU_SIGNATURES", "off")
    assert load_bundle(signed).directory == signed
    monkeypatch.setenv("EDGEAU_SIGNATURES", "require")
    monkeypatch.setenv("EDGEAU_TRUST", str(stranger.public))
    with pytest.raises(BundleError, match="not signed by a key that you trust"):
        load_bundle(signed)
    monkeypatch.setenv("EDGEAU_SIGNATURES", "perhaps")
    with pytest.raises(UsageError, match="there are off, warn, require"):
        load_bundle(signed)
    monkeypatch.setenv("EDGEAU_SIGNATURES", "require")
    monkeypatch.delenv("EDGEAU_TRUST")
    with pytest.raises(UsageError, match="no key is trusted"):
        load_bundle(signed)


def test_a_folder_of_keys_trusts_each(signed: Path, maker: Person, stranger: Person, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    shutil.copy(stranger.public, keys)
    with pytest.raises(BundleError):
        load_bundle(signed, signatures=SignaturePolicy("require", keys))
    shutil.copy(maker.public, keys)
    assert load_bundle(signed, signatures=SignaturePolicy("require", keys))


def test_a_private_key_on_a_device_is_refused(signed: Path, maker: Person, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="must not be on a device"):
        load_bundle(signed, signatures=SignaturePolicy("require", maker.private))
    (tmp_path / "nothing.pem").write_text("nothing")
    for wrong in (tmp_path / "nothing.pem", tmp_path / "nowhere.pem"):
        with pytest.raises(UsageError):
            load_bundle(signed, signatures=SignaturePolicy("require", wrong))


def test_the_packaged_bundles_need_no_signature(maker: Person) -> None:
    from edgeau.bundle import packaged_bundle_path

    assert load_bundle(packaged_bundle_path("light"), signatures=required(maker))


@pytest.mark.parametrize(
    "curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name
)
def test_every_curve_of_the_format(bundle_path: Path, tmp_path: Path, curve: ec.EllipticCurve) -> None:
    person = Person(tmp_path, "somebody", curve)
    sign_bundle(bundle_path, Signer(person.private))
    assert load_bundle(bundle_path, signatures=required(person))


class TestCertificates:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Person:
        return Person(tmp_path, "root")

    @pytest.fixture
    def middle(self, tmp_path: Path) -> Person:
        return Person(tmp_path, "middle")

    def opens(self, bundle: Path, trusted: Path) -> bool:
        return bool(load_bundle(bundle, signatures=SignaturePolicy("require", trusted)))

    def test_a_chain_leads_to_who_is_trusted(
        self, bundle_path: Path, maker: Person, stranger: Person, root: Person, middle: Person, tmp_path: Path
    ) -> None:
        chain = write(tmp_path / "chain.pem", middle.certify(maker), root.certify(middle, ca=True))
        sign_bundle(bundle_path, Signer(maker.private, chain))
        assert self.opens(bundle_path, write(tmp_path / "root.crt", root.certify(root, ca=True)))
        other = write(tmp_path / "other.crt", stranger.certify(stranger, ca=True))
        with pytest.raises(BundleError, match="does not chain to a trusted certificate"):
            self.opens(bundle_path, other)
        with pytest.raises(BundleError, match="does not chain to a trusted certificate"):
            self.opens(bundle_path, maker.public)  # a key is trusted, and a certificate signed

    def test_a_certificate_of_its_own(self, bundle_path: Path, maker: Person, tmp_path: Path) -> None:
        own = write(tmp_path / "own.crt", maker.certify(maker))
        sign_bundle(bundle_path, Signer(maker.private, own))
        assert self.opens(bundle_path, own)

    def test_one_that_has_ended_still_tells_who_signed(
        self, bundle_path: Path, maker: Person, root: Person, tmp_path: Path
    ) -> None:
        certificate = write(tmp_path / "maker.crt", root.certify(maker, days=1))
        sign_bundle(bundle_path, Signer(maker.private, certificate))
        assert self.opens(bundle_path, write(tmp_path / "root.crt", root.certify(root, ca=True)))

    def test_who_may_not_issue_makes_no_makers(
        self, bundle_path: Path, maker: Person, root: Person, middle: Person, tmp_path: Path
    ) -> None:
        chain = write(tmp_path / "chain.pem", middle.certify(maker), root.certify(middle))  # middle is no CA
        sign_bundle(bundle_path, Signer(maker.private, chain))
        with pytest.raises(BundleError, match="does not chain to a trusted certificate"):
            self.opens(bundle_path, write(tmp_path / "root.crt", root.certify(root, ca=True)))

    @pytest.mark.parametrize(
        ("how", "says"), [({"code": False}, "not for signing code"), ({"odd": True}, "demands 1.2.3.4")]
    )
    def test_a_certificate_for_something_else(
        self, bundle_path: Path, maker: Person, root: Person, tmp_path: Path, how: dict[str, bool], says: str
    ) -> None:
        sign_bundle(
            bundle_path, Signer(maker.private, write(tmp_path / "maker.crt", root.certify(maker, **how)))
        )
        with pytest.raises(BundleError, match=says):
            self.opens(bundle_path, write(tmp_path / "root.crt", root.certify(root, ca=True)))

    def test_a_certificate_of_another_key_is_refused_when_signing(
        self, maker: Person, stranger: Person, tmp_path: Path
    ) -> None:
        with pytest.raises(UsageError, match="not of the key that signs"):
            Signer(maker.private, write(tmp_path / "other.crt", stranger.certify(stranger)))


class TestKeys:
    def test_an_encrypted_key(
        self, bundle_path: Path, maker: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        maker.private.write_bytes(
            maker.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
        )
        with pytest.raises(UsageError, match="EDGEAU_SIGNING_PASSWORD"):
            Signer(maker.private)
        monkeypatch.setenv("EDGEAU_SIGNING_PASSWORD", "wrong")
        with pytest.raises(UsageError, match="cannot sign"):
            Signer(maker.private)
        monkeypatch.setenv("EDGEAU_SIGNING_PASSWORD", "word")
        sign_bundle(bundle_path, Signer(maker.private))
        assert load_bundle(bundle_path, signatures=required(maker))

    def test_what_is_no_key_of_the_format(self, tmp_path: Path) -> None:
        path = tmp_path / "key.pem"
        for content in (
            b"nothing",
            ed25519.Ed25519PrivateKey.generate().private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            ),
            ec.generate_private_key(ec.SECP256K1()).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            ),
        ):
            path.write_bytes(content)
            with pytest.raises(UsageError, match="openssl ecparam"):
                Signer(path)


def end_of_process() -> None:
    """Let go of the copies that this process holds, as its end does."""
    while verified_copy._held:
        os.close(verified_copy._held.popitem()[1])


def test_a_copy_that_a_process_uses_is_not_removed(
    make_bundle: MakeBundle, maker: Person, tmp_path: Path
) -> None:
    """A web server opens its files as they are asked for, and landmark networks are opened after the bundle was."""
    bundles = [make_bundle(f"bundle-{number}") for number in range(6)]
    for bundle in bundles:
        sign_bundle(bundle, Signer(maker.private))
    program = (
        "import sys; from edgeau.bundle import SignaturePolicy; from pathlib import Path; "
        "print(SignaturePolicy('require', Path(sys.argv[1])).apply(Path(sys.argv[2])), flush=True); sys.stdin.read()"
    )
    line = [sys.executable, "-c", program, str(maker.public), str(bundles[0])]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        used = Path(server.stdout.readline().strip())
        os.utime(used, (0, 0))  # the oldest of all
        for bundle in bundles[1:]:
            end_of_process()
            load_bundle(bundle, signatures=required(maker))
        assert (used / "model.onnx").read_bytes() == (bundles[0] / "model.onnx").read_bytes()
        server.communicate()
    again = make_bundle("bundle-6")
    sign_bundle(again, Signer(maker.private))
    load_bundle(again, signatures=required(maker))
    assert not used.exists()


def test_old_copies_are_removed_and_a_changed_one_is_made_anew(
    make_bundle: MakeBundle, maker: Person, tmp_path: Path
) -> None:
    for number in range(6):
        bundle = make_bundle(f"bundle-{number}")
        sign_bundle(bundle, Signer(maker.private))
        end_of_process()
        copy = load_bundle(bundle, signatures=required(maker)).directory
        os.utime(copy, (number, number))
    assert len(list((tmp_path / "cache" / "edgeau" / "verified").iterdir())) == 4
    one_byte(copy)
    again = load_bundle(bundle, signatures=required(maker))
    assert again.path("model.onnx").read_bytes() == (bundle / "model.onnx").read_bytes()


def test_a_finished_bundle_is_signed_again_or_no_more(
    signed: Path, maker: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeau.board.build import _replace_manifest, finish_bundle

    manifest = load_bundle(signed).manifest
    _replace_manifest(signed, signed, manifest, Signer(maker.private))
    assert load_bundle(signed, signatures=required(maker)).manifest == manifest
    _replace_manifest(signed, signed, manifest, None)
    assert not (signed / SIGNATURE).exists()
    assert [path.name for path in signed.parent.iterdir() if path.name.startswith(".")] == []
    monkeypatch.setenv("EDGEAU_TRUST", str(maker.public))
    with pytest.raises(UsageError, match="sign it again with --sign KEY"):
        finish_bundle(signed)


def test_what_changed_while_engines_were_built_is_not_signed(signed: Path, maker: Person) -> None:
    from edgeau.board.build import _replace_manifest

    manifest = load_bundle(signed).manifest
    copy = load_bundle(signed, signatures=required(maker)).directory
    one_byte(signed)
    signature = (signed / SIGNATURE).read_bytes()
    with pytest.raises(BundleError, match="model.onnx has changed"):
        _replace_manifest(signed, signed, manifest, Signer(maker.private))
    assert (signed / SIGNATURE).read_bytes() == signature
    _replace_manifest(signed, copy, manifest, Signer(maker.private))
    assert load_bundle(signed, signatures=required(maker)).manifest == manifest


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def with_chain(bundle: Path, chain: list[bytes]) -> None:
    """A signature of nobody with certificates."""
    path = bundle / SIGNATURE
    document = json.loads(path.read_text())
    certificates = [{"rawBytes": base64.b64encode(one).decode()} for one in chain]
    material = {"x509CertificateChain": {"certificates": certificates}, "tlogEntries": []}
    document["verificationMaterial"] = material
    path.write_text(json.dumps(document))


def test_certificates_that_issued_each_other_end(
    signed: Path, maker: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeau.bundle.signature import trust

    asked = []
    issued = trust._issued
    monkeypatch.setattr(trust, "_issued", lambda *given: asked.append(given) or issued(*given))
    policy = SignaturePolicy("require", write(maker.folder / "root.crt", maker.certify(maker, ca=True)))
    loop = [der(stranger.certify(stranger, ca=True)) for _ in range(7)]
    with_chain(signed, [der(stranger.certify(maker)), *loop])
    with pytest.raises(BundleError, match="does not chain to a trusted certificate"):
        load_bundle(signed, signatures=policy)
    assert len(asked) < 100  # it was 7 ** 8
    with_chain(signed, [der(stranger.certify(maker)), *loop, loop[0]])
    with pytest.raises(BundleError, match="9 certificates, 8 are allowed"):
        load_bundle(signed, signatures=policy)


VERSION_3, OF_EC = bytes.fromhex("a003020102"), bytes.fromhex("06072a8648ce3d0201")


@pytest.mark.parametrize(
    ("old", "new"),
    [(VERSION_3, VERSION_3[:-1] + b"\7"), (OF_EC, OF_EC[:-1] + b"\7")],
    ids=["version 8", "unknown kind of key"],
)
def test_odd_certificates_are_refused_in_one_line(
    signed: Path, maker: Person, old: bytes, new: bytes
) -> None:
    certificate = der(maker.certify(maker, ca=True))
    assert certificate.count(old) == 1
    policy = SignaturePolicy("require", write(maker.folder / "root.crt", maker.certify(maker, ca=True)))
    with_chain(signed, [certificate.replace(old, new)])
    with pytest.raises(BundleError, match="damaged, or of an unknown kind"):
        load_bundle(signed, signatures=policy)
    odd = maker.folder / "odd.pem"
    text = base64.encodebytes(certificate.replace(old, new)).decode()
    odd.write_text(f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n")
    with pytest.raises((UsageError, BundleError), match="cannot be trusted|of an unknown kind"):
        load_bundle(signed, signatures=SignaturePolicy("require", odd))


def test_what_has_no_end_is_not_read(signed: Path, maker: Person) -> None:
    with pytest.raises(UsageError, match="/dev/zero, which says who is trusted, is not a file"):
        load_bundle(signed, signatures=SignaturePolicy("require", Path("/dev/zero")))
    (signed / SIGNATURE).unlink()
    (signed / SIGNATURE).symlink_to("/dev/zero")
    with pytest.raises(BundleError, match="it is a link or no file"):
        load_bundle(signed, signatures=required(maker))


def test_a_link_to_a_packaged_bundle_is_followed_once(tmp_path: Path, maker: Person) -> None:
    """Whoever turns the link elsewhere afterwards changes nothing."""
    from edgeau.bundle import packaged_bundle_path

    link = tmp_path / "link"
    link.symlink_to(packaged_bundle_path("light"))
    assert load_bundle(link, signatures=required(maker)).directory == packaged_bundle_path("light")


def test_the_child_that_meets_engines_first_has_the_policy_of_its_parent(
    make_bundle: MakeBundle, maker: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeau.bundle import verification

    bundle = load_bundle(make_bundle("unsigned"))
    monkeypatch.setenv("EDGEAU_TRUST", str(maker.public))
    policy = SignaturePolicy("off")
    (artifact,) = load_bundle(bundle.directory, signatures=policy).manifest.artifacts
    child = verification.artifacts_in_child(str(bundle.directory), [[artifact.file, artifact.runtime]], None)
    assert list(child) == [None]


def test_arguments_carry_the_policy_of_the_environment_to_other_machines(
    maker: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A worker of a cluster gets the arguments, and has an environment of its own."""
    import argparse
    import pickle

    from edgeau.bundle.signature.options import add_signature_options, signature_policy

    def parsed(*line: str) -> argparse.Namespace:
        parser = argparse.ArgumentParser()
        add_signature_options(parser)
        arguments: argparse.Namespace = pickle.loads(pickle.dumps(parser.parse_args(line)))
        return arguments

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEAU_TRUST", maker.public.name)
    arguments, off = parsed(), parsed("--signatures", "off")
    monkeypatch.setenv("EDGEAU_SIGNATURES", "perhaps")
    odd = parsed()
    for name in ("EDGEAU_TRUST", "EDGEAU_SIGNATURES"):
        monkeypatch.delenv(name)
    assert signature_policy(arguments) == SignaturePolicy("require", maker.public)
    assert signature_policy(off).mode == "off"
    with pytest.raises(UsageError, match="'perhaps' is not a policy"):
        signature_policy(odd)
    assert signature_policy(parsed()) == SignaturePolicy()
