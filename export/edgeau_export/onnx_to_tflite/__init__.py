"""TFLite files written from ONNX graphs, for LiteRT: no torch, no tool-chain, seconds.

The steps, in order: the ONNX graph is read with its batch fixed at 1 (:mod:`.graph`), simplified where TFLite has one
operator for several (:mod:`.fusion`), translated node by node (:mod:`.translation`, with one small function per ONNX operator
in :mod:`.lowering`), and packed (:mod:`.writer`).
"""

from edgeau_export.onnx_to_tflite.conversion import PRECISIONS, tflite_bytes
from edgeau_export.onnx_to_tflite.graph import ConversionError

__all__ = ["PRECISIONS", "ConversionError", "tflite_bytes"]
