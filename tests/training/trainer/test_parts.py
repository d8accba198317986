"""Replicas, averaging, geometry targets, batches, prefetching: each against what it promises."""

import numpy as np
import pytest
import torch

from edgeau.errors import InputError
from edgeau_training.augmentation import Augmentation, View
from edgeau_training.datasets.synthetic import SyntheticFaces
from edgeau_training.networks import build_network
from edgeau_training.trainer.averaging import Average
from edgeau_training.trainer.batches import decode, epoch_batches, plain_batches, prefetched
from edgeau_training.trainer.geometry_targets import GeometryTargets
from edgeau_training.trainer.replicas import Replicas
from edgeau_training.trainer.student import Student, normalise, start_residuals_at_identity

AUS = ("AU1", "AU4", "AU12")
VIEW = View(64, 160)
FULL = Augmentation()


@pytest.fixture(scope="module")
def faces(tmp_path_factory, write_tiny_faces):
    return SyntheticFaces.read(write_tiny_faces(tmp_path_factory.mktemp("faces")), "train", AUS)


@pytest.fixture(scope="module")
def targets(faces):
    return GeometryTargets.fit(faces.points)


def student(tap=None, stem="test_efficientnet"):
    torch.manual_seed(0)
    network = build_network("mrpnet", AUS, stem=stem, dropout=0.0, drop_path=0.0)
    return Student(network, 3, 936, tap)


def summed(answers):
    return sum(answer.square().sum() for answer in answers)


def first(faces, targets, epoch=0, start=0, augmentation=FULL):
    return next(epoch_batches(faces, targets, VIEW, augmentation, size=8, seed=5, epoch=epoch, start=start))


@pytest.mark.parametrize("tap", [None, ("stem.blocks.2", 32)])
def test_two_replicas_give_the_gradients_of_one_when_normalisation_is_still(tap):
    """In evaluation mode batch normalisation does not depend on the share, so the sums must agree."""
    images = torch.rand(8, 3, 64, 64)
    gradients = []
    for count in (1, 2):
        one = student(tap).train()
        replicas = Replicas(one, count)
        for each in replicas.students:
            for module in each.modules():
                if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
                    module.eval()
        loss = replicas.step(images, 160, summed)
        gradients.append([parameter.grad for parameter in one.parameters() if parameter.grad is not None])
    assert loss > 0
    assert len(gradients[0]) == len(gradients[1])
    for alone, shared in zip(*gradients, strict=True):
        torch.testing.assert_close(shared, alone, rtol=1e-3, atol=1e-3 * float(alone.abs().max()) + 1e-7)


def test_replicas_share_weights_and_average_statistics():
    replicas = Replicas(student().train(), 2)
    main, other = replicas.students
    replicas.step(torch.rand(8, 3, 64, 64), 160, summed)
    with torch.no_grad():
        main.network.classifier.weight.fill_(3)
    assert torch.equal(other.network.classifier.weight, main.network.classifier.weight)
    assert torch.equal(other.network.stem.bn1.running_mean, main.network.stem.bn1.running_mean)
    assert main.network.stem.bn1.running_mean.abs().max() > 0


def test_a_tapped_replica_listens_to_its_own_network():
    replicas = Replicas(student(("stem.blocks.2", 32)).train(), 2)
    seen = [one(torch.rand(2, 3, 64, 64), 160) for one in replicas.students]
    assert [answer.points.shape for answer in seen] == [(2, 2, 936)] * 2


def test_residuals_that_start_at_identity_still_get_a_gradient():
    one = student(stem="efficientnet_b1").train()
    start_residuals_at_identity(one.network)
    scales = {name: value for name, value in one.network.named_parameters() if name.endswith("weight")}
    zeroed = [value for value in scales.values() if not value.any()]
    assert len(zeroed) == 16  # of 23 blocks, those with a shortcut
    summed(one(torch.rand(4, 3, 64, 64), 160)).backward()
    assert all(scale.grad.abs().max() > 0 for scale in zeroed)


def test_the_average_follows_weights_and_statistics():
    one = student()
    average = Average(one, 0.9)
    with torch.no_grad():
        one.network.classifier.weight.fill_(1)
        average.student.network.classifier.weight.zero_()
        one.network.stem.bn1.running_var.fill_(2)
    average.update(step=1000)
    torch.testing.assert_close(average.student.network.classifier.weight, torch.full((3, 1024), 0.1))
    torch.testing.assert_close(
        average.student.network.stem.bn1.running_var,
        torch.full_like(average.student.network.stem.bn1.running_var, 1.1),
    )


def test_targets_of_a_central_cut_are_standardised(faces, targets):
    (batch, *_) = plain_batches(faces, targets, VIEW, len(faces))
    assert batch.points.mean().abs() < 0.01
    # The deviation makes room for the random cut, so a central one stays below 1.
    assert batch.points.std() < 1


def test_a_mirrored_picture_has_the_mirrored_targets(faces, targets):
    """The tiny faces are symmetric, so a mirrored face is a face: left eye left, and no large target."""
    flipped = Augmentation(flip=1).scaled(0)
    assert flipped.flip == 1
    batch = first(faces, targets, augmentation=flipped)
    assert batch.points.abs().max() < 5


def test_the_mirror_is_an_involution(targets):
    assert np.array_equal(targets.mirror[targets.mirror], np.arange(468))
    assert targets.mirror[33] != 33


def test_seed_epoch_and_place_decide_the_batch(faces, targets):
    again, same = first(faces, targets), first(faces, targets)
    assert torch.equal(again.images, same.images)
    assert torch.equal(again.points, same.points)
    assert not torch.equal(again.images, first(faces, targets, epoch=1).images)
    batches = epoch_batches(faces, targets, VIEW, Augmentation(), size=8, seed=5, epoch=0)
    next(batches)
    assert torch.equal(next(batches).images, first(faces, targets, start=8).images)


def test_plain_batches_take_every_face_once(faces, targets):
    batches = list(plain_batches(faces, targets, VIEW, 32))
    assert [len(batch) for batch in batches] == [32, 28]
    assert np.array_equal(torch.cat([batch.occurrence for batch in batches]).numpy(), faces.occurrence)


def test_prefetched_batches_are_the_same_and_errors_arrive(faces, targets):
    plain = list(plain_batches(faces, targets, VIEW, 16))
    ahead = list(prefetched(plain_batches(faces, targets, VIEW, 16)))
    assert all(torch.equal(a.images, b.images) for a, b in zip(plain, ahead, strict=True))

    def broken():
        yield plain[0]
        decode(b"no picture")

    with pytest.raises(InputError, match="not a readable JPEG"):
        list(prefetched(broken()))


def test_normalised_images_are_rgb_in_imagenet_units():
    image = torch.zeros(1, 2, 2, 3, dtype=torch.uint8)
    image[..., 0] = 255
    values = normalise(image)[0, :, 0, 0]
    torch.testing.assert_close(values, torch.tensor([(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225]))
