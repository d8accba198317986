from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from edgeau.errors import UsageError
from edgeau_training.by_name import build_by_name
from edgeau_training.networks import build_network
from edgeau_training.networks.catalogue import CATALOGUE

SELF = "builders_for_by_name"


@pytest.fixture(autouse=True)
def builders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{SELF}.py").write_text(
        "from __future__ import annotations\n"
        "def broken(labels, size: int = 1):\n"
        "    return len(size)\n"  # a TypeError of the builder, not of its caller
        "def plain(labels, rate: float = 0.5, name: str | None = None, deep: bool = False):\n"
        "    return labels, rate, name, deep\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


KNOWN = {name: f"{SELF}:{name}" for name in ("broken", "plain")}


def test_a_type_error_inside_a_builder_keeps_its_trace() -> None:
    with pytest.raises(TypeError, match="has no len") as caught:
        build_by_name("network", KNOWN, "broken", ("AU1",), size=3)
    assert any(frame.name == "broken" for frame in traceback.extract_tb(caught.value.__traceback__))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"sizes": 3}, r"does not take these options \['sizes'\]: .*it takes rate, name, deep"),
        ({"rate": "half"}, r"option rate is 'half', which is not a float"),
        ({"rate": True}, r"option rate is True, which is not a float"),
        ({"name": 3}, r"option name is 3, which is not a str \| None"),
        ({"deep": 1}, r"option deep is 1, which is not a bool"),
    ],
)
def test_an_option_that_does_not_fit_is_the_users(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        build_by_name("network", KNOWN, "plain", ("AU1",), **options)


def test_options_that_fit_arrive() -> None:
    assert build_by_name("network", KNOWN, "plain", (), rate=1, name=None, deep=True) == ((), 1, None, True)


def test_a_name_that_is_not_known() -> None:
    with pytest.raises(UsageError, match="network 'mrp' is not known; known: broken, plain"):
        build_by_name("network", KNOWN, "mrp")


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_network_of_the_zoo_names_the_options_that_it_takes(name: str) -> None:
    if name == "siat-two-view":
        pytest.skip("its options are those of its members")
    with pytest.raises(UsageError, match="does not take these options.*it takes "):
        build_network(name, ["AU1"], no_such_option=1)
