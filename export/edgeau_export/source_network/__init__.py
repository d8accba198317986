"""Sources of an export's float network."""
