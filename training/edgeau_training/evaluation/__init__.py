"""How well a model does on labelled faces: metrics with intervals, comparisons, thresholds, and the fusion's fit."""
