"""``edgeau-live``: action units live, in a window or in a browser."""
