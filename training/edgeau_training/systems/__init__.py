"""The four published systems by their numbers: what their specification says beside what is computed here."""
