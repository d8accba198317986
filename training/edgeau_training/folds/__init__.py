"""Which frames train and which test: published subject parts, balanced groups, shuffled groups."""
