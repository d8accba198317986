"""``edgeau-explain``: where in a face a network reads each action unit."""
