"""Target boards as data: one TOML file each. A new board is a new file; see :mod:`edgeau_export.targets.target`."""
