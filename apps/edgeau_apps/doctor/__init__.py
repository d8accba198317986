"""``edgeau-doctor``: what this machine can run, what is missing, and the install line that exists for it."""
