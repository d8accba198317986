"""Crops to calibrate on and to measure on, from pictures, videos, prepared files and the packaged set."""
