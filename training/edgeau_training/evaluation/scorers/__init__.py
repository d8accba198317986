"""Models to evaluate: each kind of file in its own module, all answering with logits for a batch of faces."""
