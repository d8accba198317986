"""Published figures of action-unit papers as data, one TOML file a table, each with its source and footnotes."""
