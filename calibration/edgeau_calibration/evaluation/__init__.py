"""What a quantized network costs: accuracy, time, and the error of single tensors."""
