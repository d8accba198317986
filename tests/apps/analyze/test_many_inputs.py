"""A run over many inputs starts with work in proportion to their number: counted, since times depend on the machine."""

from __future__ import annotations

import runpy
import sys
from argparse import Namespace
from pathlib import Path

import pytest

_MOST_CALLS = {False: 300, True: 600}  # of functions, for one input; by whether its table is there


@pytest.mark.parametrize("done", [False, True], ids=["first start", "everything done"])
def test_the_calls_for_an_input_do_not_grow_with_their_number(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, done: bool
) -> None:
    monkeypatch.setattr(sys, "argv", ["many_inputs.py"])
    benchmark = Namespace(**runpy.run_path(str(root / "benchmarks" / "many_inputs.py")))
    identity = benchmark.Identity.of(
        Namespace(**dict.fromkeys((*benchmark._OPTIONS, "bundle", "landmarker_model")))
    )
    each = []
    for count in (300, 1200):
        out = tmp_path / f"out{count}"
        names = benchmark.make(tmp_path / f"in{count}", count)
        inputs, left = benchmark.start(names, out, identity)
        assert (len(inputs), left) == (count, count)
        assert len({one.stem for one in inputs}) == count
        if done:
            benchmark.finish(inputs, out, identity)
            assert benchmark.start(names, out, identity)[1] == 0
        each.append(benchmark.calls(lambda n=names, o=out: benchmark.start(n, o, identity)) / count)
    assert each[1] < each[0] * 1.05
    assert each[1] < _MOST_CALLS[done]
