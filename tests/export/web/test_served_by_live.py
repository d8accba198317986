"""The site served by ``edgeau-live --static``: its page works under the server's own headers, over HTTPS too."""

import os
import signal
import subprocess
import sys

import pytest

from tests.apps.live.conftest import free_port

_CODE = "import sys; from edgeau_apps.live.command import main; sys.exit(main())"


@pytest.fixture(params=[(), ("--tls",)], ids=["http", "https"])
def url(request, site, tmp_path):
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", _CODE, "--static", str(site), "--serve", f"127.0.0.1:{port}", *request.param],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
    )
    shown = process.stdout.readline().strip()
    assert shown == f"http{'s' if request.param else ''}://127.0.0.1:{port}/"
    yield shown.replace("127.0.0.1", "localhost")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 143
    process.stdout.close()


def test_the_page_runs_and_is_kept(url, launch, visit):
    # A browser asks about a certificate that a machine made for itself; these flags answer yes.
    page = visit(url, in_browser=launch("--ignore-certificate-errors"), ignore_https_errors=True)
    assert page.inner_text("#state") == "ready", page.inner_text("#problem")
    assert page.text_content("#offline") == "yes, kept on this device"
    page.click("#clip")
    page.wait_for_selector(".au", timeout=60_000)
    assert all(asked.startswith((url, "blob:")) for asked in page.requested)
    assert not page.errors
