"""The page keeps itself, asks nobody for anything, and is replaced as a whole."""

import shutil

import pytest

from edgeau_export.export import export_bundle


def dropped(page, root, name):
    page.set_input_files("#file", root / "docs" / name)
    page.wait_for_selector(f"#state:text-matches('^{name}: \\\\d+ face')", timeout=30_000)


def test_after_its_first_load_it_asks_for_nothing_and_needs_no_network(site, serve, visit, root):
    server = serve(site)
    page = visit(server.url)
    assert page.text_content("#offline") == "yes, kept on this device"
    assert all(url.startswith((server.url, "blob:")) for url in page.requested)
    server.close()  # from here on every request would fail
    before = len(server.asked)
    page.click("#clip")
    page.wait_for_selector(".au", timeout=30_000)
    dropped(page, root, "portrait.jpg")
    page.reload()
    page.wait_for_selector("#state:text-matches('^(ready|stopped)$')", timeout=60_000)
    assert page.inner_text("#state") == "ready", page.inner_text("#problem")
    page.click("#clip")
    page.wait_for_selector(".au", timeout=30_000)
    dropped(page, root, "portrait.jpg")
    assert len(server.asked) == before
    assert all(url.startswith((server.url, "blob:")) for url in page.requested)
    assert not page.errors


@pytest.mark.slow
def test_another_export_replaces_all_that_was_kept(sites, serve, visit, tmp_path):
    place = tmp_path / "site"
    shutil.copytree(sites["light"], place)
    page = visit(serve(place).url)
    assert "Slim MRP head" in page.text_content("#network")
    export_bundle("web", place, "default")
    page.reload()  # shows what was kept, and finds that there is another one
    page.wait_for_selector("#state:text-matches('^(ready|stopped)$')", timeout=60_000)
    assert page.inner_text("#state") == "ready", page.inner_text("#problem")
    assert "Slim MRP head" in page.text_content("#network")
    page.wait_for_function(
        "() => caches.keys().then((names) => names.length === 1 && names[0])", timeout=60_000
    )
    page.wait_for_timeout(3000)
    page.reload()
    page.wait_for_selector("#state:text-matches('^(ready|stopped)$')", timeout=60_000)
    assert page.text_content("#network").startswith("MRP-Net"), page.inner_text("#problem")
    assert page.evaluate("caches.keys().then((names) => names.length)") == 1


def test_a_page_from_plain_http_works_on_pictures(site, serve, visit, launch, root):
    server = serve(site)
    url = server.url.replace("localhost", "board.test")
    browser = launch("--host-resolver-rules=MAP board.test 127.0.0.1")
    page = visit(url, in_browser=browser)
    assert page.inner_text("#state") == "ready", page.inner_text("#problem")
    assert page.text_content("#offline") == "no: pages are kept from https or localhost only"
    page.click("#camera")
    page.wait_for_selector("#problem:not([hidden])")
    assert page.inner_text("#problem").startswith(
        "The camera can only be used on a page from https or localhost."
    )
    dropped(page, root, "portrait.jpg")
    assert page.query_selector(".au")


def test_files_of_two_exports_do_not_meet_in_one_visit(sites, serve, visit, tmp_path):
    """Another export arrives while a page still reads the files that were kept."""
    place = tmp_path / "site"
    shutil.copytree(sites["light"], place)
    # The page reads its files one after the other; here it takes its time after the first one.
    worker = (place / "worker.js").read_text()
    slow = """{
      const load = fetch.bind(self);
      self.fetch = async (what, ...rest) => {
        const found = await load(what, ...rest);
        if (String(what).endsWith("manifest.json")) await new Promise((resolve) => setTimeout(resolve, 6000));
        return found;
      };
    }
    """
    server = serve(place)
    server.extra["/worker.js"] = (slow + worker).encode()
    page = visit(server.url)
    assert page.inner_text("#state") == "ready", page.inner_text("#problem")
    del server.extra["/worker.js"]
    export_bundle("web", place, "default")
    page.reload()
    page.wait_for_selector("#state:text-matches('^(ready|stopped)$')", timeout=60_000)
    assert page.inner_text("#state") == "ready", page.inner_text("#problem")
    assert "Slim MRP head" in page.text_content("#network")


def test_a_device_without_room_for_the_runtime_runs_the_page_all_the_same(sites, serve, visit, tmp_path):
    place = tmp_path / "site"
    shutil.copytree(sites["light"], place)
    full = "Cache.prototype.put = async () => { throw new DOMException('no room', 'QuotaExceededError'); };\n"
    (place / "sw.js").write_text(full + (place / "sw.js").read_text())
    page = visit(serve(place).url)
    assert page.inner_text("#state") == "ready", page.inner_text("#problem")
    assert page.text_content("#offline") == "yes, kept on this device"
