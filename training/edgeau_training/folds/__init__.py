"""Folds that train and test: published subject parts, balanced groups, shuffled groups."""
