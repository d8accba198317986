"""An input that ends early: nothing reads it any more when it is closed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from edgeau import Pipeline
from edgeau.sources import Source, open_source
from edgeau_apps.analyze import film as films
from edgeau_apps.analyze.identity import Identity
from edgeau_apps.analyze.inputs import Input
from edgeau_apps.analyze.sinks import Options


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Threads of a stream that ran while sources were closed."""
    seen: list[str] = []

    def opened(*what: Path, **options: object) -> Source:
        source = open_source(*what, **options)
        close = source.close

        def closed() -> None:
            seen.extend(one.name for one in threading.enumerate() if one.name.startswith("edgeau-"))
            close()

        monkeypatch.setattr(source, "close", closed)
        return source

    monkeypatch.setattr(films, "open_source", opened)
    return seen


def test_threads_end_before_the_film_is_closed(film: Path, bundle: Path, running: list[str]) -> None:
    options = Options(
        film / "out", None, pose=False, events=False, annotator=None, identity=Identity("", "", {}), cores=2
    )
    with Pipeline.load(bundle, threads=1, max_faces=1) as pipeline:
        outcome = films.analyze_film(Input("film.avi", film, "video", "film"), pipeline, options)
    assert outcome.error
    assert running == []
