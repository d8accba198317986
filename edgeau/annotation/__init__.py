"""Drawing results onto pictures, for files and for the live view."""

from edgeau.annotation.annotator import Annotator

__all__ = ["Annotator"]
