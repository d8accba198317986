"""Counting what a network costs: parameters, multiply-accumulates, activations and memory, layer by layer.

One file a kind of model; each gives an :class:`~edgeau_export.profiling.model_profile.ModelProfile`.
"""
