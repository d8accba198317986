"""From an aligned face to action units: the network, the landmark model, and how the two are combined."""
