"""Filters over the results of a video: causal, with one state per track."""
