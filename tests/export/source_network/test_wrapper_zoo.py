"""The ways in which programs save a network: each opens and says what was taken, or is refused with the way out."""

from __future__ import annotations

import argparse
import json
import pickle
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from pathlib import Path, PosixPath
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from edgeau.errors import CheckpointError
from edgeau_export.source_network.foreign_weights import load_weights, state_dicts

State = dict[str, torch.Tensor]


class Backbone(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone, self.head = Backbone(), nn.Linear(4, 2)


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return Network().eval()


def prefixed(state: State, prefix: str) -> State:
    return {prefix + name: value for name, value in state.items()}


def infixed(state: State, word: str) -> State:
    """As where the backbone alone was wrapped."""
    return {name.replace("backbone.", f"backbone.{word}."): value for name, value in state.items()}


def cast(state: State, kind: torch.dtype) -> State:
    return {name: v.to(kind) if v.is_floating_point() else v for name, v in state.items()}


def scaled(state: State) -> State:
    """Other weights than the network's, for what must not be taken."""
    return {name: v * 3 if v.is_floating_point() else v for name, v in state.items()}


LIGHTNING = {
    "epoch": 3,
    "global_step": 900,
    "pytorch-lightning_version": "2.4.0",
    "callbacks": {
        "ModelCheckpoint{'monitor': 'f1'}": {"best_model_score": torch.tensor(0.7), "dirpath": "/x"}
    },
    "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(4, 3, 3, 3)}}, "param_groups": [{"lr": 0.1}]}],
    "lr_schedulers": [{"last_epoch": 3, "_last_lr": [0.1]}],
}
ARGUMENTS = argparse.Namespace(lr=1e-3, out=Path("runs"), aus=[1, 2])

# How it is saved -> what is said of what was taken.
OPENS: dict[str, tuple[Callable[[State], Any], str]] = {
    "plain": (lambda state: state, "the whole file"),
    "ordered": (OrderedDict, "the whole file"),
    "parameters": (
        lambda state: {n: nn.Parameter(v) if v.is_floating_point() else v for n, v in state.items()},
        "the whole file",
    ),
    "data parallel": (lambda state: prefixed(state, "module."), "without the prefix 'module.'"),
    "compiled": (lambda state: prefixed(state, "_orig_mod."), "without the prefix '_orig_mod.'"),
    "compiled and parallel": (lambda state: prefixed(state, "_orig_mod.module."), "'_orig_mod.module.'"),
    "parallel and compiled": (lambda state: prefixed(state, "module._orig_mod."), "'module._orig_mod.'"),
    "a compiled backbone": (lambda state: infixed(state, "_orig_mod"), "the whole file"),
    "sharded modules": (
        lambda state: prefixed(infixed(state, "_fsdp_wrapped_module"), "_fsdp_wrapped_module."),
        "the whole file",
    ),
    "recomputed modules": (lambda state: infixed(state, "_checkpoint_wrapped_module"), "the whole file"),
    "lightning": (
        lambda state: {**LIGHTNING, "state_dict": prefixed(state, "model.")},
        "state_dict, without the prefix 'model.'",
    ),
    "lightning, hyper-parameters": (
        lambda state: {
            **LIGHTNING,
            "state_dict": prefixed(state, "net."),
            "hyper_parameters": {"cfg": PosixPath("/x"), "args": ARGUMENTS, "lr": np.float64(0.1)},
        },
        "state_dict, without the prefix 'net.'",
    ),
    "lightning, a loss with weights": (
        lambda state: {"state_dict": {**prefixed(state, "model."), "loss.weight": torch.ones(2)}},
        "state_dict, without",
    ),
    "deepspeed": (lambda state: {"module": state, "dp_world_size": 4}, "weights: module"),
    "model and optimiser": (
        lambda state: {"model": state, "optimizer": {"state": {0: {"m": torch.zeros(9, 9)}}}},
        "weights: model",
    ),
    "arguments": (lambda state: {"model_state_dict": state, "args": ARGUMENTS}, "weights: model_state_dict"),
    "a tuple": (lambda state: (state, {"state": {}, "param_groups": []}), "weights: [0]"),
    "nested": (
        lambda state: {"checkpoint": {"generator": {"weights": state}}},
        "checkpoint.generator.weights",
    ),
    "counted": (
        lambda state: {"state_dict": state, "seen": Counter({"a": 3})},
        "weights: state_dict",
    ),
    "half": (lambda state: cast(state, torch.float16), "the whole file"),
    "bfloat16": (lambda state: cast(state, torch.bfloat16), "the whole file"),
    "double": (lambda state: cast(state, torch.float64), "the whole file"),
    "without counters": (
        lambda state: {n: v for n, v in state.items() if not n.endswith("num_batches_tracked")},
        "the whole file",
    ),
}
SUFFIXES = [".pth", ".pt", ".bin", ".ckpt", ".pth.tar"]


@pytest.mark.parametrize("kind", OPENS)
def test_it_opens_and_says_what_was_taken(tmp_path: Path, kind: str) -> None:
    save, said = OPENS[kind]
    original, fresh = network(), network(1)
    file = tmp_path / f"w{SUFFIXES[len(kind) % len(SUFFIXES)]}"
    torch.save(save(original.state_dict()), file)
    assert said in load_weights(file, fresh, None)
    tolerance = 1e-2 if kind in ("half", "bfloat16") else 0
    for name, value in fresh.state_dict().items():
        torch.testing.assert_close(value, original.state_dict()[name], atol=tolerance, rtol=tolerance)
        assert value.dtype in (torch.float32, torch.int64)


def test_the_zoo_is_at_least_twice_the_thirteen() -> None:
    assert len(OPENS) + len(AVERAGED) + len(REFUSED) >= 2 * 13


@pytest.mark.parametrize("half", [False, True])
def test_safetensors(tmp_path: Path, half: bool) -> None:
    original, fresh = network(), network(1)
    state = cast(original.state_dict(), torch.float16) if half else original.state_dict()
    safetensors.torch.save_file(
        {name: value.contiguous() for name, value in state.items()}, tmp_path / "w.safetensors"
    )
    assert load_weights(tmp_path / "w.safetensors", fresh, None) == "weights: the whole file"
    torch.testing.assert_close(fresh.state_dict()["head.weight"], state["head.weight"].float())


def test_files_of_an_older_torch(tmp_path: Path) -> None:
    torch.save(network().state_dict(), tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    load_weights(tmp_path / "w.pth", network(1), None)


@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
def test_shards_and_their_index(tmp_path: Path, suffix: str) -> None:
    original, fresh = network(), network(1)
    names = sorted(original.state_dict())
    halves = {f"model-0000{number + 1}-of-00002{suffix}": names[number::2] for number in range(2)}
    for file, part in halves.items():
        tensors = {name: original.state_dict()[name] for name in part}
        safetensors.torch.save_file(tensors, tmp_path / file) if suffix == ".safetensors" else torch.save(
            tensors, tmp_path / file
        )
    index = tmp_path / f"model{suffix}.index.json"
    places = {name: file for file, part in halves.items() for name in part}
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))
    load_weights(index, fresh, None)
    torch.testing.assert_close(fresh.state_dict()["head.weight"], original.state_dict()["head.weight"])
    one, other = halves
    with pytest.raises(CheckpointError, match=r"one of several shards, name their index"):
        load_weights(tmp_path / one, network(), None)
    (tmp_path / other).unlink()
    with pytest.raises(CheckpointError, match=rf"names the shard {other}, which is not beside it"):
        load_weights(index, network(), None)
    index.write_text(json.dumps({"weight_map": {"a": "../w.pth"}}))
    with pytest.raises(CheckpointError, match="is not beside it"):
        load_weights(index, network(), None)
    index.write_text("{}")
    with pytest.raises(CheckpointError, match="is not an index of shards"):
        load_weights(index, network(), None)


# Files with averaged weights beside the plain ones -> where either stands.
AVERAGED: dict[str, tuple[Callable[[State, State], Any], str, str]] = {
    "timm": (lambda plain, ema: {"state_dict": plain, "state_dict_ema": ema}, "state_dict", "state_dict_ema"),
    "model_ema": (
        lambda plain, ema: {"model": plain, "model_ema": prefixed(ema, "module.")},
        "model",
        "model_ema",
    ),
    "ema.module": (
        lambda plain, ema: {"model": plain, "ema": {"module": ema, "decay": 0.99}},
        "model",
        "ema.module",
    ),
    "a callback": (
        lambda plain, ema: {"state_dict": plain, "callbacks": {"EMA": {"weights": ema}}},
        "state_dict",
        "callbacks.EMA.weights",
    ),
    "swa": (
        lambda plain, ema: {
            "model": plain,
            "swa": {"n_averaged": torch.tensor(3), **prefixed(ema, "module.")},
        },
        "model",
        "swa",
    ),
}


@pytest.mark.parametrize("kind", AVERAGED)
def test_which_of_two_sets_is_a_choice(tmp_path: Path, kind: str) -> None:
    save, plain, averaged = AVERAGED[kind]
    original = network()
    state = original.state_dict()
    torch.save(save(state, scaled(state)), tmp_path / "w.pth")
    for ema, place, factor in ((None, plain, 1), (False, plain, 1), (True, averaged, 3)):
        fresh = network(1)
        said = load_weights(tmp_path / "w.pth", fresh, ema)
        assert said.startswith(f"weights: {place}")
        assert "was left (ema)" in said
        torch.testing.assert_close(fresh.state_dict()["head.weight"], factor * state["head.weight"])


def test_a_choice_that_is_not_there_is_named(tmp_path: Path) -> None:
    state = network().state_dict()
    torch.save({"schema": state}, tmp_path / "plain.pth")  # no EMA, though the letters stand there
    with pytest.raises(CheckpointError, match=r"has no averaged \(EMA\) weights; there are schema"):
        load_weights(tmp_path / "plain.pth", network(1), True)
    torch.save({"state_dict_ema": state}, tmp_path / "ema.pth")
    load_weights(tmp_path / "ema.pth", network(1), None)
    with pytest.raises(CheckpointError, match="averaged .* only; say ema = true"):
        load_weights(tmp_path / "ema.pth", network(1), False)


# By kind: a file of two sets, and the keys that lead to each.
TWO_SETS: dict[str, tuple[Callable[[dict[str, Any], dict[str, Any]], Any], str, str]] = {
    "two state dicts": (lambda a, b: {"student": a, "teacher": b, "epoch": 3}, "student", "teacher"),
    "wrapped": (
        lambda a, b: {"student": {"state_dict": a}, "teacher": {"state_dict": b}},
        "student",
        "teacher",
    ),
    "one module's": (
        lambda a, b: {"state_dict": {**prefixed(a, "student."), **prefixed(b, "teacher.")}},
        "state_dict.student",
        "state_dict.teacher",
    ),
    "side by side": (lambda a, b: {**prefixed(a, "net."), **prefixed(b, "net_old.")}, "net", "net_old"),
    "one inside the other": (lambda a, b: {**a, **prefixed(b, "momentum.")}, "", "momentum"),
}


@pytest.mark.parametrize("kind", TWO_SETS)
def test_of_two_sets_that_fit_one_is_named(tmp_path: Path, kind: str) -> None:
    save, one, other = TWO_SETS[kind]
    state = network().state_dict()
    torch.save(save(state, scaled(state)), tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="holds 2 sets of weights that fit: ") as refused:
        load_weights(tmp_path / "w.pth", network(1))
    assert all(place in str(refused.value) for place in (one, other))
    assert "say which, such as state_dict = " in str(refused.value)
    for place, factor in ((one, 1), (other, 3)):
        fresh = network(1)
        said = load_weights(tmp_path / "w.pth", fresh, place=place)
        assert said.startswith(f"weights: {place or 'the whole file'}")
        assert "was left" in said
        torch.testing.assert_close(fresh.state_dict()["head.weight"], factor * state["head.weight"])
    with pytest.raises(CheckpointError, match="has no weights under 'gone'; there are "):
        load_weights(tmp_path / "w.pth", network(1), place="gone")


def test_the_same_set_saved_twice_is_no_question(tmp_path: Path) -> None:
    state = network().state_dict()
    torch.save(
        {"model": state, "best": {name: value.clone() for name, value in state.items()}}, tmp_path / "w.pth"
    )
    fresh = network(1)
    assert load_weights(tmp_path / "w.pth", fresh) == "weights: model"
    torch.testing.assert_close(fresh.state_dict()["head.weight"], state["head.weight"])


def test_averaged_weights_beside_others_in_one_state_dict_are_a_choice(tmp_path: Path) -> None:
    state = network().state_dict()
    both = {**prefixed(state, "model."), **prefixed(scaled(state), "model_ema.module.")}
    torch.save({"state_dict": both}, tmp_path / "w.pth")
    for ema, factor in ((None, 1), (False, 1), (True, 3)):
        fresh = network(1)
        assert "was left (ema)" in load_weights(tmp_path / "w.pth", fresh, ema)
        torch.testing.assert_close(fresh.state_dict()["head.weight"], factor * state["head.weight"])


class Surprise:
    def __reduce__(self) -> Any:
        return (print, ("code ran",))


def pickled(value: Any) -> Callable[[Path], None]:
    return lambda file: torch.save(value, file)


def _cut(file: Path) -> None:
    torch.save(network().state_dict(), file)
    file.write_bytes(file.read_bytes()[:600])


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a whole model": (
        lambda file: torch.save(network(), file),
        r"which can run code.*torch\.save\(model\.state_dict\(\)",
    ),
    "a whole model inside": (
        lambda file: torch.save({"model": network(), "epoch": 3}, file),
        r"torch\.save\(model\.state_dict\(\)",
    ),
    "code": (pickled({"state_dict": Surprise()}), "which can run code"),
    "a plain pickle": (
        lambda file: file.write_bytes(pickle.dumps({"w": Surprise()})),
        "which can run code|cannot be read",
    ),
    "what torch refuses to fill": (
        pickled({"s": defaultdict(int, {"a": 3})}),
        r"torch\.save\(model\.state_dict\(\)",
    ),
    "numbers": (pickled({"epoch": 3}), "holds no tensors by name"),
    "a single tensor": (pickled(torch.zeros(3)), "holds no tensors by name"),
    "empty": (lambda file: file.write_bytes(b""), "is empty"),
    "a pointer": (
        lambda file: file.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid x"),
        "pointer of Git LFS",
    ),
    "a web page": (lambda file: file.write_bytes(b"<!DOCTYPE html><html>Quota exceeded"), "is a web page"),
    "keras": (lambda file: file.write_bytes(b"\x89HDF\r\n\x1a\n"), "HDF5"),
    "compressed": (lambda file: file.write_bytes(b"\x1f\x8b\x08\x00"), "is compressed"),
    "text": (
        lambda file: file.write_bytes(b"nothing like weights at all"),
        "cannot be read as weights|which can run code",
    ),
    "cut": (_cut, "cannot be read as weights"),
    "not a number": (
        pickled({**network().state_dict(), "head.bias": torch.tensor([float("nan"), 0])}),
        "training diverged",
    ),
    "another network": (
        pickled({"conv.weight": torch.zeros(3, 3)}),
        "does not fit what the builder returns: .*missing",
    ),
    "another head": (
        pickled({**network().state_dict(), "head.weight": torch.zeros(5, 4)}),
        r"head.weight is \(5, 4\) in the file",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_opened_is_one_line_with_the_way_out(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make, message = REFUSED[kind]
    make(tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=message) as caught:
        load_weights(tmp_path / "w.pth", network(), None)
    assert "\n" not in str(caught.value)
    assert "code ran" not in capsys.readouterr().out


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        state_dicts(tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="is a folder"):
        state_dicts(tmp_path)
