import pickle

import pytest
import safetensors.torch
import torch

from edgeau.errors import CheckpointError
from edgeau_training.checkpoint import CheckpointInfo, save_checkpoint
from edgeau_training.networks import build_network
from edgeau_training.networks.pretrained import load_pretrained

TINY = {"blocks": (1, 1, 1, 1), "size": 16}


def network(labels=("AU1", "AU2"), seed=0, **options):
    torch.manual_seed(seed)
    return build_network("ustc-fixed", labels, neighbours=2, **{**TINY, **options})


@pytest.fixture
def other():
    """What a face recognition training would have saved: the backbone's tensors, by its own names."""
    return network(seed=1).backbone.state_dict()


def save(path, tensors):
    if path.suffix == ".safetensors":
        safetensors.torch.save_file({name: tensor.clone() for name, tensor in tensors.items()}, path)
    else:
        torch.save(tensors, path)
    return path


@pytest.mark.parametrize("name", ["a.safetensors", "a.pth", "a.pt"])
def test_a_backbones_file_fills_the_backbone(tmp_path, other, name):
    fresh = network()
    before = fresh.au_classifier.weight.clone()
    report = load_pretrained(fresh, save(tmp_path / name, other), "backbone")
    assert report.part == "backbone"
    assert set(report.matched) == set(other)
    assert (report.missing, report.unexpected, report.mismatched) == ((), (), ())
    for key, tensor in fresh.backbone.state_dict().items():
        torch.testing.assert_close(tensor, other[key])
    torch.testing.assert_close(fresh.au_classifier.weight, before)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda tensors: {"state_dict": tensors, "epoch": 3},
        lambda tensors: {"model": tensors},
        lambda tensors: {f"module.{name}": tensor for name, tensor in tensors.items()},
        lambda tensors: {k: v for k, v in tensors.items() if not k.endswith("num_batches_tracked")},
    ],
    ids=("state_dict", "model", "parallel", "old"),
)
def test_wrappers_and_prefixes_are_taken_off(tmp_path, other, wrap):
    report = load_pretrained(network(), save(tmp_path / "a.pth", wrap(other)), "backbone")
    assert report.missing == report.unexpected == ()


def test_the_report_tells_all_that_does_not_fit(tmp_path, other):
    tensors = dict(other)
    del tensors["bn2.weight"]
    tensors["fc.weight"] = torch.zeros(512, 9)
    tensors["head.weight"] = torch.zeros(3)
    fresh = network()
    before = fresh.backbone.fc.weight.clone()
    report = load_pretrained(fresh, save(tmp_path / "glint.pth", tensors), "backbone")
    assert report.missing == ("bn2.weight",)
    assert report.unexpected == ("head.weight",)
    assert report.mismatched == ("fc.weight (512, 9), (512, 512)",)
    torch.testing.assert_close(fresh.backbone.fc.weight, before)
    assert str(report) == (
        f"glint.pth: {len(other) - 2} tensors loaded into the network's backbone; 1 missing (bn2.weight); "
        "1 unexpected (head.weight); 1 of another shape (fc.weight (512, 9), (512, 512))"
    )


def test_a_checkpoint_of_another_label_set_gives_all_but_the_classifiers(tmp_path):
    trained, path = network(("AU1", "AU2"), seed=1), tmp_path / "bp4d.safetensors"
    save_checkpoint(path, trained, CheckpointInfo("ustc-fixed", ("AU1", "AU2")))
    fresh = network(("AU1", "AU2", "AU4"))
    report = load_pretrained(fresh, path, "backbone")
    assert report.part == ""
    assert any(name.startswith("au_classifier.weight") for name in report.mismatched)
    torch.testing.assert_close(fresh.perception.lanets[0][0].weight, trained.perception.lanets[0][0].weight)


def test_a_file_of_another_architecture_is_refused(tmp_path):
    path = save(tmp_path / "vgg.pth", {"features.0.w": torch.zeros(3), "features.0.b": torch.zeros(3)})
    with pytest.raises(
        CheckpointError, match=r"nothing in .*vgg.pth fits: it has 2 tensors such as features.0.w"
    ):
        load_pretrained(network(), path, "backbone")


class Surprise:
    def __reduce__(self):
        return (print, ("code ran",))


def test_code_in_a_pickle_is_not_run(tmp_path, capsys):
    path = tmp_path / "evil.pth"
    torch.save({"state_dict": Surprise()}, path)
    with pytest.raises(CheckpointError, match="could run code and is not opened"):
        load_pretrained(network(), path)
    assert "code ran" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pth", b"", "copy it again"),
        ("a.pth", b"not weights at all", "is damaged"),
        ("a.pth", pickle.dumps([1, 2], protocol=2), "another kind"),
        ("a.pth", b"PK\x03\x04 half an archive", "copy it again"),
        ("a.safetensors", b"\x10\x00", "copy it again"),
    ],
)
def test_damaged_files_are_refused_in_one_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_pretrained(network(), path, "backbone")
    assert "\n" not in str(caught.value)


def test_a_list_is_not_weights(tmp_path):
    torch.save([torch.zeros(2)], tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="holds a list, not named tensors"):
        load_pretrained(network(), tmp_path / "a.pth")


@pytest.mark.parametrize(("make", "message"), [(False, "does not exist"), (True, "is a folder")])
def test_a_missing_file_is_told(tmp_path, make, message):
    path = tmp_path / "weights.pth"
    if make:
        path.mkdir()
    with pytest.raises(CheckpointError, match=f"{message}.*nothing is downloaded"):
        load_pretrained(network(), path)
