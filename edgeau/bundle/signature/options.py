"""The options ``--signatures`` and ``--trust`` of commands that open bundles, ``--sign`` and ``--certificate`` of those that make them."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from edgeau.bundle.signature.policy import MODE, MODES, TRUST, SignaturePolicy

__all__ = ["add_signature_options", "add_signing_options", "signature_policy"]


def add_signature_options(parser: argparse.ArgumentParser) -> None:
    """Add the two options; :func:`signature_policy` reads them.

    The environment's answers become theirs here: arguments travel to the workers of a cluster, the environment does not.
    """
    trust = os.environ.get(TRUST, "").strip()
    parser.add_argument(
        "--signatures",
        choices=MODES,
        default=os.environ.get(MODE, "").strip() or None,
        help=f"whether bundles must be signed ({MODE}; default: require if a key is trusted, else off)",
    )
    parser.add_argument(
        "--trust",
        type=Path,
        default=Path(trust).absolute() if trust else None,
        metavar="FILE|DIR",
        help=f"trusted public keys and certificates in PEM; one of them must have signed the bundle ({TRUST})",
    )


def add_signing_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--sign`` and ``--certificate``."""
    parser.add_argument(
        "--sign",
        type=Path,
        metavar="KEY",
        help="sign the bundle: an ECDSA key in PEM (openssl ecparam -name prime256v1 -genkey -noout -out key.pem)",
    )
    parser.add_argument(
        "--certificate",
        type=Path,
        metavar="FILE",
        help="certificate of that key in PEM, followed by its issuers'",
    )


def signature_policy(arguments: argparse.Namespace) -> SignaturePolicy:
    """The policy of a command's arguments, and of the environment where they were made.

    Raises:
        UsageError: a signature is asked for while nobody is trusted.
    """
    return SignaturePolicy.of(arguments.signatures, arguments.trust)
