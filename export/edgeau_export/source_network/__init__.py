"""Where the float network of an export comes from."""
