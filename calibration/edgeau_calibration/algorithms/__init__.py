"""How ranges and integer weights are found."""
