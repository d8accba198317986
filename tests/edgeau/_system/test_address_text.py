"""Passwords of any characters work, and no message shows one."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pytest

from edgeau import open_sink, open_source
from edgeau._system.address_text import check_address, quote_user, without_secrets
from edgeau.errors import UserError
from edgeau.sinks.address import Address
from edgeau.sinks.description import Description

PASSWORDS = [
    "plain",
    "pa/ss",
    "pa?ss",
    "pa#ss",
    "p:ss",
    "p@ss",
    "p%ss",
    "p ss",
    "pä€ss",
    "a/b?c#d:e",
    "[x]",
    "p/",
    "?",
    "#1!",
]


@pytest.mark.parametrize("host", ["127.0.0.1", "camera.local", "[fe80::1]"])
@pytest.mark.parametrize("port", ["", ":554"])
@pytest.mark.parametrize("path", ["", "/live", "/live?channel=1"])
@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_is_found_whatever_it_is(password: str, path: str, port: str, host: str) -> None:
    text = f"rtsp://admin:{password}@{host}{port}{path}"
    parts = urlsplit(quote_user(text))
    assert (parts.username, parts.hostname) == ("admin", host.strip("[]"))
    assert unquote(parts.password or "") == unquote(password)
    assert parts.port == (554 if port else None)
    assert check_address(text) is None
    assert password not in without_secrets(text).replace("rtsp", "").replace("...", "") or len(password) == 1
    assert "admin" not in without_secrets(text)


@pytest.mark.parametrize(
    "text", ["rtsp://camera/live", "rtsp://camera:554/a@b", "rtsp://[::1]:554/x", "a.csv", "", "://", "x@y"]
)
def test_what_has_no_user_stays(text: str) -> None:
    assert quote_user(text) == text


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("rtsp://admin:se/cret@127.0.0.1:99999/x", "port"),
        ("rtsp://admin:secret@127.0.0.1:abc/x", "port"),
        ("rtsp://admin:secret@[fe80::1/x", "bracket"),
        ("rtsp://admin:secret@/x", "host"),
        ("gopher://admin:secret@127.0.0.1/x", "scheme"),
    ],
)
def test_a_wrong_address_of_a_source_is_refused_without_its_password(address: str, why: str) -> None:
    with pytest.raises(UserError, match=why) as caught:
        open_source(address, reconnect=False)
    assert "secret" not in str(caught.value)
    assert "se/cret" not in str(caught.value)


@pytest.mark.parametrize("password", ["pa/ss", "pa#ss", "pa?ss"])
def test_nobody_answers_and_no_password_is_told(password: str) -> None:
    with pytest.raises(UserError, match="no stream answers") as caught:
        open_source(f"rtsp://admin:{password}@127.0.0.1:1/x", reconnect=False)
    assert password not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "mqtt://user:se/cret@127.0.0.1",
        "mqtt://user:se#cret@127.0.0.1:70000/topic",
        "mqtt://user:se/cret@127.0.0.1/topic?qos=7",
        "mqtt://user:se/cret@127.0.0.1/topic?what=1",
        "mqtt://user:se/cret@127.0.0.1/topic?qos=1&qos=1",
        "http://user:se/cret@127.0.0.1/topic",
        "ws://127.0.0.1:1?token=se/cret&what=1",
    ],
)
def test_a_wrong_address_of_a_sink_is_refused_without_its_password(address: str) -> None:
    description = Description(labels=("AU1",), intensity_labels=(), trained=True)
    with pytest.raises(UserError) as caught:
        open_sink(address, description)
    assert "cret" not in str(caught.value)


def test_a_sink_gets_the_password_as_it_was_typed() -> None:
    address = Address.parse("mqtt://us%40er:se/c#r%65t@127.0.0.1:1883/a/b?qos=1")
    assert (address.user, address.password, address.port, address.path) == ("us@er", "se/c#ret", 1883, "a/b")
    assert "se" not in address.text


@pytest.mark.parametrize(
    "text",
    [
        " rtsp://admin:hunter2@127.0.0.1:1/x",
        "rtsp ://admin:hunter2@camera/x",
        "rtsp:/admin:hunter2@camera/x",
        "rtsp:admin:hunter2@camera/x",
        "//admin:hunter2@camera/x",
        "admin:hunter2@camera:554/x",
        "admin:hunter2@rtsp://camera/x",
        "admin:hun ter2@camera/x",
        "gopher://camera/x?access_token=hunter2",
        "gopher://camera/x?user=a&loginpas=hunter2&z=1",
        "gopher://camera/x?api_key=hunter2",
        "gopher://camera/x?to%6ben=hunter2",
        "gopher://camera/x?a=1;auth=hun;ter2",
        "gopher://camera/x#access_token=hunter2",
    ],
)
def test_what_is_spelled_wrong_shows_no_secret_either(text: str) -> None:
    assert not {"hunter2", "hun", "ter2"} & set(re.split(r"[^a-z0-9]+", without_secrets(text)))
    with pytest.raises(UserError) as caught:
        open_source(text, reconnect=False)
    assert "ter2" not in str(caught.value)
    with pytest.raises(UserError) as caught:
        open_sink(text, Description(labels=("AU1",)))
    assert "ter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["faces/12:30@home.png", "C:\\faces\\a@2x.png", "a@2x.png", "x?y=1", "a/b c=d"]
)
def test_names_of_files_stay(text: str) -> None:
    assert without_secrets(text) == text
