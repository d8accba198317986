"""Scripts that a tool's own Python runs: nothing of edgeau is there, and each imports numpy and its tool only."""
