"""Bundles: a folder with a manifest and the files it names, verified before anything in it is opened."""

from edgeau.bundle.benchmark import Timing, time_artifacts
from edgeau.bundle.load import Bundle, load_bundle
from edgeau.bundle.packaged import PACKAGED, bundle_folder, packaged_bundle_path
from edgeau.bundle.signature.policy import SignaturePolicy
from edgeau.bundle.write import BundleWriter

__all__ = [
    "PACKAGED",
    "Bundle",
    "BundleWriter",
    "SignaturePolicy",
    "Timing",
    "bundle_folder",
    "load_bundle",
    "packaged_bundle_path",
    "time_artifacts",
]
