"""``edgeau-doctor``: what this machine can run, what is missing, and the matching pip command."""
