"""Which recipe, and which layers stay in float, for a given accuracy budget."""
