"""Manifests that Python's own parsers and types stumble over are one clear line."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.errors import BundleError


def twice(key: str):
    def change(text: str) -> str:
        manifest = json.loads(text)
        manifest[key].append(manifest[key][0])
        return json.dumps(manifest)

    return change


def with_border(value: str):
    return lambda text: re.sub(r'"border": \d+', f'"border": {value}', text)


ODD = {
    "nested too deeply": (lambda _: '{"schema":' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
    "beyond float": (
        lambda text: re.sub(r'("max_abs_logit": )[-0-9.e]+', r"\g<1>1" + "0" * 400, text, count=1),
        "too large for a float",
    ),
    "artifact twice": (twice("artifacts"), "appears twice"),
    "file twice": (twice("files"), "appears twice"),
    "border a": (with_border('"a"'), "border: expected int"),
    "border NaN": (with_border("NaN"), "border: expected int"),
    "zero bytes": (lambda _: "\0" * 100, "not JSON"),
    "more digits than Python reads": (with_border("1" * 5000), "not JSON"),
}


@pytest.mark.parametrize(("change", "words"), ODD.values(), ids=ODD)
def test_it_is_refused_in_one_line(tmp_path: Path, change, words: str) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(packaged_bundle_path("light"), bundle)
    manifest = bundle / "manifest.json"
    manifest.write_text(change(manifest.read_text("utf-8")), "utf-8")
    with pytest.raises(BundleError, match=words):
        load_bundle(bundle)
