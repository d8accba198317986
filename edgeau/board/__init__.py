"""Finishing a bundle on the board that runs it: engines are built, measured and checked there, and the manifest says how."""

from edgeau.board.build import Finished, finish_bundle

__all__ = ["Finished", "finish_bundle"]
