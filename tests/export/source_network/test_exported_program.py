from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from edgeau.errors import CheckpointError
from edgeau_export.source_network.exported_program import load_program, module_of


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(3, 2)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.last(batch.mean((2, 3)).reshape(batch.shape[0], 3))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("program") / "good.pt2"
    dynamic = ({0: torch.export.Dim("batch", min=1, max=64)},)
    torch.export.save(
        torch.export.export(Net().eval(), (torch.zeros(2, 3, 8, 8),), dynamic_shapes=dynamic), file
    )
    return file


def rewritten(good: Path, to: Path, change: Callable[[str, bytes], bytes], more: str | None = None) -> Path:
    with zipfile.ZipFile(good) as given, zipfile.ZipFile(to, "w") as made:
        for member in given.infolist():
            made.writestr(member.filename, change(member.filename, given.read(member)))
        if more is not None:
            made.writestr(f"good/{more}", b"\x7fELF")
    return to


class Runs:
    """A pickle that makes a file when it is opened."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._mark),)


def test_a_whole_program_loads_and_answers_any_batch(good: Path) -> None:
    network = module_of(load_program(good))
    assert network(torch.ones(5, 3, 8, 8)).shape == (5, 2)
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


def test_no_pickle_is_run(good: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"

    def change(name: str, held: bytes) -> bytes:
        if name.endswith("weights_config.json"):
            config = json.loads(held)
            for one in config["config"].values():
                one["use_pickle"] = True
            return json.dumps(config).encode()
        if "/weights/weight_" in name:
            stream = io.BytesIO()
            torch.save(Runs(mark), stream)
            return stream.getvalue()
        return held

    with pytest.raises(CheckpointError, match=r"would run code.*pickle.*state_dict"):
        load_program(rewritten(good, tmp_path / "w.pt2", change))
    assert not mark.exists()


@pytest.mark.parametrize(
    "said",
    [
        "__import__('os').mkdir({mark!r})",
        "Max('__import__(\"os\").mkdir({mark!r})', 2)",
        "(lambda: 1)()",
        "Symbol('s0', positive=__import__('os'))",
        "Symbol.__class__",
        "s0 +",
    ],
)
def test_no_expression_of_a_shape_is_more_than_arithmetic(good: Path, tmp_path: Path, said: str) -> None:
    mark = tmp_path / "ran"
    text = json.dumps(said.replace("{mark!r}", repr(str(mark))))

    def change(name: str, held: bytes) -> bytes:
        if not name.endswith("models/model.json"):
            return held
        found = re.compile(r'("expr_str": )"(?:[^"\\]|\\.)*"')
        assert found.search(held.decode())
        return found.sub(lambda match: match[1] + text, held.decode()).encode()

    with pytest.raises(CheckpointError, match="would run code.*more than arithmetic"):
        load_program(rewritten(good, tmp_path / "w.pt2", change))
    assert not mark.exists()


@pytest.mark.parametrize(
    "target",
    ["torch.os.mkdir", "torch.ops.load_library", "torch.ops.aten.from_file.default", "_operator.call"],
)
def test_no_function_is_called_that_is_no_operator(good: Path, tmp_path: Path, target: str) -> None:
    def change(name: str, held: bytes) -> bytes:
        return (
            held.replace(b"torch.ops.aten.mean.dim", target.encode()) if name.endswith("model.json") else held
        )

    with pytest.raises(CheckpointError, match="would run code.*not an operator of a network"):
        load_program(rewritten(good, tmp_path / "w.pt2", change))


def test_guards_are_not_made_python(good: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"

    def change(name: str, held: bytes) -> bytes:
        if not name.endswith("models/model.json"):
            return held
        program = json.loads(held)
        program["guards_code"] = [f"__import__('os').mkdir({str(mark)!r}) is None"]
        return json.dumps(program).encode()

    network = module_of(load_program(rewritten(good, tmp_path / "w.pt2", change)))
    assert network(torch.ones(1, 3, 8, 8)).shape == (1, 2)
    assert not mark.exists()


def test_compiled_code_is_not_opened(good: Path, tmp_path: Path) -> None:
    file = rewritten(good, tmp_path / "w.pt2", lambda _, held: held, "data/aotinductor/model/model.so")
    with pytest.raises(CheckpointError, match=r"would run code.*compiled code"):
        load_program(file)


def test_a_file_that_two_readers_could_see_differently_is_damaged(good: Path, tmp_path: Path) -> None:
    file = rewritten(good, tmp_path / "w.pt2", lambda _, held: held)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(file, "a") as made:
        made.writestr("good/models/model.json", "{}")
    with pytest.raises(CheckpointError, match="in it twice"):
        load_program(file)
    (tmp_path / "no.pt2").write_bytes(b"PK no")
    with pytest.raises(CheckpointError, match="not a complete ZIP archive"):
        load_program(tmp_path / "no.pt2")
    with pytest.raises(CheckpointError, match="does not exist"):
        load_program(tmp_path / "absent.pt2")
