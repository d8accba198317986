"""Wheels and JetPacks that exist, as data with the day they were looked up."""
