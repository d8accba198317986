"""Algorithms that find ranges and integer weights."""
