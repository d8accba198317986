"""Print the first block of a heading of a page, as a reader copies it: ``python block.py cookbook.md "An LED on a smile" [python]``."""

import re
import sys
from pathlib import Path

page, heading, language = [*sys.argv[1:], "python"][:3]
text = (Path(__file__).resolve().parents[2] / "docs" / page).read_text(encoding="utf-8")
part = re.split(r"^## ", text.partition(f"\n## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
block = re.search(rf"^```{language}\n(.*?)^```", part, re.MULTILINE | re.DOTALL)
sys.exit(f"{page} has no {language} under {heading!r}") if block is None else print(block[1], end="")
