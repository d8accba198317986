"""``python -m edgeau.board BUNDLE``."""

from edgeau.board.command import main

if __name__ == "__main__":
    raise SystemExit(main())
