"""SIAT-NTU's networks of the EmotioNet Challenge 2020."""
