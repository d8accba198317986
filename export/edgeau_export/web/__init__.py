"""The page that runs a bundle in a browser; its source is in ``web/``."""
