"""``edgeau-bench``: this machine, every engine, precision and number of threads, side by side in one run."""
