"""docs/sinks.md names every kind of sink that there is, and no other."""

import re
from pathlib import Path

from edgeau.sinks import opening
from edgeau_apps.live import command

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sinks.md").read_text(encoding="utf-8")


def test_the_table_is_what_can_be_opened():
    addresses = re.findall(r"`([^`]+)`", " ".join(re.findall(r"^\| (`[^|]*) \|", PAGE, re.MULTILINE)))
    schemes = {address.partition("://")[0] for address in addresses if "://" in address}
    suffixes = {Path(address).suffix for address in addresses if "://" not in address and address != "-"}
    assert schemes == set(opening._NETWORKS)
    assert suffixes == set(opening._FILES)


def test_the_help_of_live_names_every_scheme():
    (words,) = [one.help for one in command._parser()._actions if "--sink" in one.option_strings]
    assert all(f"{scheme}://" in words for scheme in opening._NETWORKS if scheme != "mqtts")
