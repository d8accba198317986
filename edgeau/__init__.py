"""Facial action units on small computers."""

__version__ = "0.1.0"
