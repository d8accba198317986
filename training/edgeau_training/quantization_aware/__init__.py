"""Quantization-aware fine-tuning: the last resort where no quantization of the finished network keeps its F1.

The network is trained on with the very rounding that export gives it, to answer as it did in float. ``python -m
edgeau_training.quantization_aware CHECKPOINT --data DIR --out FILE``; the checkpoint that comes out is exported like any.
"""
