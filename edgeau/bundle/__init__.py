"""Bundles: a folder with a manifest and the files it names, verified before anything in it is opened."""
