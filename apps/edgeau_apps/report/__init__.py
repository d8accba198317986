"""``edgeau-report``: what networks cost, layer by layer, and the published figures beside them."""
