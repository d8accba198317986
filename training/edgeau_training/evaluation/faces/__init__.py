"""Labelled faces to evaluate on; each kind of data set in its own file, all read in batches."""
