"""``python -m edgeau.finish BUNDLE``."""

from edgeau.finish.command import main

if __name__ == "__main__":
    raise SystemExit(main())
