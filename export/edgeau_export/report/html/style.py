"""Colours and strokes that pages and single plots share."""

from __future__ import annotations

__all__ = ["COLOURS", "DRAWING"]

# As custom properties of the root, light and dark.
COLOURS = """\
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5d6672; --line: #d8dde3; --paper: #fff; --panel: #f5f7f9;
  --one: #1668b3; --two: #c2571a; --three: #2f8554; --four: #7a4fb0; --good: #2f8554; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9aa4b0; --line: #343b44; --paper: #15181c;
  --panel: #1d2126; --one: #6fb3f2; --two: #f0935a; --three: #6cc795; --four: #b795e6; --good: #6cc795; --bad: #ff8a80; } }
"""

DRAWING = """\
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .soft { fill: var(--soft); }
svg .axis { stroke: var(--soft); } svg .grid { stroke: var(--line); } svg .halo { paint-order: stroke;
  stroke: var(--paper); stroke-width: 3px; }
"""
