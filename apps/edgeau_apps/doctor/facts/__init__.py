"""Which wheels and which JetPacks exist, as data with the day they were looked up."""
