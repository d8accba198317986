"""The format's own library verifies what edgeau signs, and the other way round; it has an environment of its own::

python3.11 -m venv FOLDER && FOLDER/bin/pip install model-signing==1.1.1 pyOpenSSL
EDGEAU_MODEL_SIGNING=FOLDER/bin/model_signing python -m pytest -m slow tests/edgeau/bundle/signature/test_model_signing.py
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from edgeau.bundle.signature import Signer, TrustedSigners, sign_bundle
from edgeau.bundle.signature.policy import verify_signature
from edgeau.errors import BundleError

pytestmark = pytest.mark.slow


@pytest.fixture
def theirs() -> str:
    program = os.environ.get("EDGEAU_MODEL_SIGNING", "")
    if not program:
        pytest.skip("EDGEAU_MODEL_SIGNING names no environment with model-signing")
    return program


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A key, and one with a certificate by a root, made as the page says."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=tmp_path, check=True, capture_output=True)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem")
    openssl("pkey", "-in", "key.pem", "-pubout", "-out", "maker.pub")
    openssl(
        "req",
        "-x509",
        *new,
        "-keyout",
        "ca.key",
        "-out",
        "ca.crt",
        "-days",
        "9",
        "-subj",
        "/CN=devices",
        "-addext",
        "keyUsage=critical,keyCertSign",
    )
    openssl(
        "req",
        "-new",
        *new,
        "-keyout",
        "maker.key",
        "-out",
        "maker.csr",
        "-subj",
        "/CN=maker",
        "-addext",
        "keyUsage=critical,digitalSignature",
        "-addext",
        "extendedKeyUsage=codeSigning",
    )
    openssl(
        "x509",
        "-req",
        "-in",
        "maker.csr",
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-days",
        "5",
        "-copy_extensions",
        "copyall",
        "-out",
        "maker.crt",
    )
    return tmp_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "a.b").mkdir(parents=True)
    (folder / "a.b" / "c").write_bytes(b"1" * 3_000_000)
    (folder / "a").mkdir()
    (folder / "a" / "d").write_bytes(b"2")
    (folder / "empty").write_bytes(b"")
    return folder


def said(theirs: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [theirs, *map(str, words)], capture_output=True, text=True, check=False, timeout=120
    )


def test_they_verify_ours(theirs: str, keys: Path, folder: Path) -> None:
    signature = folder / "model.sig"
    sign_bundle(folder, Signer(keys / "key.pem"))
    by_key = ("verify", "key", "--signature", signature, "--public_key", keys / "maker.pub", folder)
    done = said(theirs, *by_key)
    assert done.returncode == 0, done.stderr
    sign_bundle(folder, Signer(keys / "maker.key", keys / "maker.crt"))
    chain = ("--certificate_chain", keys / "ca.crt")
    done = said(theirs, "verify", "certificate", "--signature", signature, *chain, folder)
    assert done.returncode == 0, done.stderr
    assert said(theirs, *by_key).returncode != 0
    (folder / "empty").write_bytes(b"3")
    assert said(theirs, "verify", "certificate", "--signature", signature, *chain, folder).returncode != 0


def test_we_verify_theirs(theirs: str, keys: Path, folder: Path) -> None:
    signature = folder / "model.sig"
    done = said(theirs, "sign", "key", "--signature", signature, "--private_key", keys / "key.pem", folder)
    assert done.returncode == 0, done.stderr
    assert verify_signature(folder, TrustedSigners.read(keys / "maker.pub"))
    with pytest.raises(BundleError):
        verify_signature(folder, TrustedSigners.read(keys / "ca.crt"))
    certified = (
        "--private_key",
        keys / "maker.key",
        "--signing_certificate",
        keys / "maker.crt",
        "--certificate_chain",
        keys / "ca.crt",
    )
    done = said(theirs, "sign", "certificate", "--signature", signature, *certified, folder)
    assert done.returncode == 0, done.stderr
    assert verify_signature(folder, TrustedSigners.read(keys / "ca.crt"))
    (folder / "a" / "d").write_bytes(b"3")
    with pytest.raises(BundleError):
        verify_signature(folder, TrustedSigners.read(keys / "ca.crt"))
