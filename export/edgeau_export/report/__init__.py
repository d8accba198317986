"""Reports of an export: tables, pages and plots."""
