"""Take docs/webcam.png: the live page with the packaged clip, in a Chromium that Playwright drives.

python docs/live_page.py [--chromium /usr/bin/chromium]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).with_name("webcam.png")
SIZE = {"width": 1280, "height": 900}
WAIT_MS = 10_000  # time lines need their time
SMILE = "() => [...document.querySelectorAll('.active')].some(row => row.textContent.includes('AU12'))"


def main() -> int:
    """Serve, look, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser")
    chromium = parser.parse_args().chromium
    code = "import sys; from edgeau_apps.live.command import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "--source", "clip", "--serve", "127.0.0.1:8799"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            found = re.search(r"http://\S+", line)
            if found is None:
                sys.exit(f"no address: {line}")
            take(found.group(), chromium)
        finally:
            server.kill()
    return 0


def take(address: str, chromium: str) -> None:
    """Write the picture of the page at an address."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--headless", "--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        page.goto(address)
        page.wait_for_timeout(WAIT_MS)
        page.wait_for_function(SMILE)
        page.wait_for_timeout(300)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
