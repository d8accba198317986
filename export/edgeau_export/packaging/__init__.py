"""Commands that make the packaged default bundle; not part of an export."""
