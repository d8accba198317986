"""``python -m edgeau``: the same as the program ``edgeau``, where its folder is not on the PATH."""

from __future__ import annotations

from edgeau._system.named_object import named_object

# The programs lie above this library, which imports none of them: it names the one door.
if __name__ == "__main__":
    raise SystemExit(named_object("edgeau_apps.console_scripts:main")())
