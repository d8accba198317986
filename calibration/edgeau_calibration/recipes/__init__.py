"""Quantization recipes as data: one TOML file each; see :mod:`edgeau_calibration.recipe`."""
