"""Commands that make the bundles that the package carries, and what an export adds to a bundle."""
