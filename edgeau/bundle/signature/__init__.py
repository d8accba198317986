"""Signatures of bundles: who made one, in the format of OpenSSF Model Signing v1.

A Sigstore bundle (``model.sig``) holds a DSSE envelope, that an in-toto statement, and that the digest of every file. Signed with an
ECDSA key, or with a key and its certificate chain; see https://github.com/ossf/model-signing-spec. The keyless method of Sigstore
needs a transparency log, and its verifier a dozen packages: it is refused by name.
"""

from edgeau.bundle.signature.policy import SignaturePolicy
from edgeau.bundle.signature.sign import Signer, sign_bundle
from edgeau.bundle.signature.trust import TrustedSigners

__all__ = ["SignaturePolicy", "Signer", "TrustedSigners", "sign_bundle"]
