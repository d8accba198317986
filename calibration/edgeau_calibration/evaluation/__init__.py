"""Evaluation of a quantized network: accuracy, the error of single tensors, and what each block costs."""
