"""Rows and columns of the table of networks; nothing is imported, so that it can be listed without torch."""

from __future__ import annotations

__all__ = ["KINDS", "NETWORKS"]

NETWORKS = (
    "resnet18", "vgg11-bn", "grey-cnn-64", "mobilenetv2", "mobilenetv3-small", "efficientnet-b0", "efficientnetv2-b0",
    "regnety-002", "repvgg-a0", "shufflenetv2", "squeezenet", "densenet121", "ghostnet", "convnext-atto", "convnextv2-atto",
    "fastvit-t8", "mobilevit-xxs", "deit-tiny", "swin-tiny", "label-graph-41",
)  # fmt: skip

# By title: file, runtime, precision, and the group that is exported together: float, or a recipe's name.
KINDS: dict[str, tuple[str, str, str, str]] = {
    "fp32 ONNX": ("model.fp32.onnx", "onnxruntime", "fp32", "float"),
    "fp32 LiteRT": ("model.fp32.tflite", "litert", "fp32", "float"),
    "INT8 ONNX": ("model.int8.onnx", "onnxruntime", "int8", "quick"),
    "INT8 LiteRT": ("model.int8.tflite", "litert", "int8", "quick"),
    "TensorRT Q/DQ": ("model.trt.int8.onnx", "tensorrt", "int8", "quick-symmetric"),
}
