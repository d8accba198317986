"""``edgeau-analyze``: pictures and videos to tables."""
