import json

import pytest
import safetensors.torch
import torch

from edgeau.errors import CheckpointError, OutputError
from edgeau_training.checkpoint import load_checkpoint, make_seeded_checkpoint, read_info, save_checkpoint

SMALL = {"stem": "test_efficientnet"}
LABELS = ("AU1", "AU12")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "seeded.safetensors"
    make_seeded_checkpoint(path, labels=LABELS, seed=3, **SMALL)
    return path


def rewritten(good, path, tensors=lambda held: held, metadata=lambda held: held):
    """The good checkpoint with something changed."""
    with safetensors.safe_open(str(good), "pt") as file:
        held = dict(file.metadata())
    safetensors.torch.save_file(tensors(safetensors.torch.load_file(str(good))), str(path), metadata(held))
    return path


def changed_info(**values):
    return lambda held: {"edgeau": json.dumps({**json.loads(held["edgeau"]), **values})}


def test_a_seeded_checkpoint_is_untrained_and_reproducible(good, tmp_path):
    again = tmp_path / "again.safetensors"
    make_seeded_checkpoint(again, labels=LABELS, seed=3, **SMALL)
    assert again.read_bytes() == good.read_bytes()
    info = read_info(good)
    assert not info.trained
    assert "untrained" in info.training
    assert info.labels == LABELS


def test_what_was_saved_is_loaded(good, tmp_path):
    network, info = load_checkpoint(good)
    copy = tmp_path / "copy.safetensors"
    save_checkpoint(copy, network, info)
    again, same = load_checkpoint(copy, network="mrpnet", labels=2)
    assert same == info
    assert not again.training
    image = torch.rand(1, 3, 96, 96)
    assert torch.equal(network(image), again(image))


def test_seeding_leaves_the_callers_random_numbers_alone(tmp_path):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    make_seeded_checkpoint(tmp_path / "x.safetensors", labels=LABELS, **SMALL)
    assert torch.equal(torch.rand(3), expected)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="gone.safetensors does not exist"):
        load_checkpoint(tmp_path / "gone.safetensors")
    with pytest.raises(CheckpointError, match="is a folder"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_is_not_opened(tmp_path, zipped):
    path = tmp_path / "weights.pt"
    torch.save({"weight": torch.ones(1)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match="is a pickle.*save_checkpoint"):
        load_checkpoint(path)


@pytest.mark.parametrize("kept", [0, 5, 200, 100_000])
def test_a_truncated_file_is_refused(good, tmp_path, kept):
    path = tmp_path / "cut.safetensors"
    path.write_bytes(good.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        load_checkpoint(path)


def test_a_file_without_metadata_is_refused(good, tmp_path):
    path = rewritten(good, tmp_path / "bare.safetensors", metadata=lambda held: {})
    with pytest.raises(CheckpointError, match="without edgeau's metadata"):
        read_info(path)


def test_damaged_metadata_is_refused(good, tmp_path):
    path = rewritten(good, tmp_path / "odd.safetensors", metadata=lambda held: {"edgeau": "{"})
    with pytest.raises(CheckpointError, match="not JSON"):
        read_info(path)


def test_metadata_nested_beyond_reading_is_refused(good, tmp_path):
    path = rewritten(good, tmp_path / "deep.safetensors", metadata=lambda held: {"edgeau": "[" * 100_000})
    with pytest.raises(CheckpointError, match="not JSON"):
        read_info(path)


@pytest.mark.parametrize("name", ["options", "input", "alignment", "thresholds", "metrics"])
@pytest.mark.parametrize("value", [3, ["stem"], None])
def test_metadata_of_the_wrong_kind_is_refused(good, tmp_path, name, value):
    path = rewritten(good, tmp_path / "odd.safetensors", metadata=changed_info(**{name: value}))
    with pytest.raises(CheckpointError, match=f"damaged: {name}"):
        load_checkpoint(path)


def test_a_newer_format_is_refused(good, tmp_path):
    path = rewritten(good, tmp_path / "new.safetensors", metadata=changed_info(format=2))
    with pytest.raises(CheckpointError, match="update edgeau"):
        read_info(path)


def test_a_label_count_that_does_not_fit_the_weights(good, tmp_path):
    path = rewritten(
        good, tmp_path / "three.safetensors", metadata=changed_info(labels=["AU1", "AU4", "AU12"])
    )
    with pytest.raises(CheckpointError, match=r"classifier\.\w+ has shape .*label count"):
        load_checkpoint(path)


def test_another_network_or_label_count_than_asked_for(good):
    with pytest.raises(CheckpointError, match="holds network 'mrpnet', but 'drml' was asked for"):
        load_checkpoint(good, network="drml")
    with pytest.raises(CheckpointError, match="holds 2 labels .AU1 AU12., but 12"):
        load_checkpoint(good, labels=12)


def test_missing_and_unexpected_tensors_are_named(good, tmp_path):
    def renamed(held):
        held["other.weight"] = held.pop("classifier.weight")
        return held

    path = rewritten(good, tmp_path / "renamed.safetensors", tensors=renamed)
    with pytest.raises(
        CheckpointError, match=r"1 missing \(classifier.weight\).*1 unexpected \(other.weight\)"
    ):
        load_checkpoint(path)


def test_an_unwritable_place_is_refused_and_nothing_is_left(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        make_seeded_checkpoint(blocked / "x.safetensors", labels=LABELS, **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
