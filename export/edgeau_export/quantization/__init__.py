"""The INT8 stage of an export: crops, labels, search, and its record."""
