"""Evaluation of a quantized network: accuracy, time, and the error of single tensors."""
