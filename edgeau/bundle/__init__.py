"""Bundles: a folder with a manifest and the files it names, verified before anything in it is opened."""

from edgeau.bundle.benchmark import Timing, time_artifacts
from edgeau.bundle.load import Bundle, default_bundle_path, load_bundle
from edgeau.bundle.write import BundleWriter

__all__ = ["Bundle", "BundleWriter", "Timing", "default_bundle_path", "load_bundle", "time_artifacts"]
