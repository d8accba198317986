"""Search for the recipe, and the layers that stay in float, for a given accuracy budget."""
