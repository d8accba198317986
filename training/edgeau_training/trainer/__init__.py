"""Training from a recipe: batches, auxiliary supervision, averaging, and a state from which a killed run goes on exactly."""
