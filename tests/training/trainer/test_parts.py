"""Replicas, averaging, geometry targets, batches, prefetching: each against what it promises."""

import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from edgeau.bundle.manifest import InputSpec
from edgeau.errors import InputError
from edgeau_training.augmentation import Augmentation, CropView
from edgeau_training.datasets.synthetic import SyntheticFaces
from edgeau_training.datasets.synthetic_crops import SyntheticCrops
from edgeau_training.networks import build_network
from edgeau_training.networks.catalogue import network_facts
from edgeau_training.sampling import build_sampler
from edgeau_training.sampling.cursor import Cursor
from edgeau_training.trainer.batches import Batches, plain_images
from edgeau_training.trainer.geometry_targets import GeometryTargets
from edgeau_training.trainer.prefetching import prefetch
from edgeau_training.trainer.replicas import Replicas
from edgeau_training.trainer.student import Normaliser, Student, start_residuals_at_identity
from edgeau_training.trainer.trainee import Average

AUS = ("AU1", "AU4", "AU12")
VIEW = CropView(64, 160)
FULL = Augmentation()

# Ends while a thread is inside OpenCV, NumPy or torch.
BUSY = """
import cv2, numpy, torch
from edgeau_training.trainer.prefetching import prefetch

def pictures():
    noise = numpy.random.default_rng(0).integers(0, 256, (256, 256, 3), numpy.uint8)
    while True:
        image = cv2.imdecode(cv2.imencode(".jpg", noise)[1], cv2.IMREAD_COLOR)
        yield torch.from_numpy(numpy.stack([image] * 8)).float().permute(0, 3, 1, 2).contiguous()

items = prefetch(pictures())
next(items)
items.close()
"""


@pytest.fixture(scope="module")
def faces(tmp_path_factory, write_tiny_faces):
    return SyntheticCrops(
        SyntheticFaces.read(write_tiny_faces(tmp_path_factory.mktemp("faces")), "train", AUS)
    )


@pytest.fixture(scope="module")
def targets(faces):
    return GeometryTargets.fit(faces.points(256), 256)


def student(tap=None, stem="test_efficientnet"):
    torch.manual_seed(0)
    network = build_network("mrpnet", AUS, stem=stem, dropout=0.0, drop_path=0.0)
    return Student(network, 3, 936, tap)


def summed(answers):
    return sum(answer.square().sum() for answer in answers)


def epoch(faces, targets, number=0, start=0, augmentation=FULL, part=slice(None), threads=1, twice=False):
    cursor = Cursor(build_sampler("uniform", faces, 5), 8)
    cursor.restore({"epoch": number, "position": start})
    maker = Batches(faces, 5, faces.faces.intensity, faces.points(256), targets, threads, twice)
    return maker.epoch(cursor.epoch(), VIEW, augmentation, number, start, part)


def first(faces, targets, *arguments, **options):
    return next(epoch(faces, targets, *arguments, **options))


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
        loss = replicas.step(images, 5, summed)
        gradients.append([parameter.grad for parameter in one.parameters() if parameter.grad is not None])
    assert loss > 0
    assert len(gradients[0]) == len(gradients[1])
    for alone, shared in zip(*gradients, strict=True):
        torch.testing.assert_close(shared, alone, rtol=1e-3, atol=1e-3 * float(alone.abs().max()) + 1e-7)


def test_replicas_share_weights_and_average_statistics():
    replicas = Replicas(student().train(), 2)
    main, other = replicas.students
    replicas.step(torch.rand(8, 3, 64, 64), 5, summed)
    with torch.no_grad():
        main.network.classifier.weight.fill_(3)
    assert torch.equal(other.network.classifier.weight, main.network.classifier.weight)
    assert torch.equal(other.network.stem.bn1.running_mean, main.network.stem.bn1.running_mean)
    assert main.network.stem.bn1.running_mean.abs().max() > 0


def test_a_tapped_replica_listens_to_its_own_network():
    replicas = Replicas(student(("stem.blocks.2", 32)).train(), 2)
    seen = [one(torch.rand(2, 3, 64, 64), 5) for one in replicas.students]
    assert [answer.points.shape for answer in seen] == [(2, 2, 936)] * 2


def test_residuals_that_start_at_identity_still_get_a_gradient():
    one = student(stem="efficientnet_b1").train()
    start_residuals_at_identity(one.network)
    scales = {name: value for name, value in one.network.named_parameters() if name.endswith("weight")}
    zeroed = [value for value in scales.values() if not value.any()]
    assert len(zeroed) == 16  # of 23 blocks, those with a shortcut
    summed(one(torch.rand(4, 3, 64, 64), 5)).backward()
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
    points = first(faces, targets, augmentation=Augmentation.none()).points
    assert points.mean().abs() < 0.3
    # The deviation makes room for the random cut, so a central one stays below 1.
    assert points.std() < 1


def test_a_mirrored_picture_has_the_mirrored_targets(faces, targets):
    """The tiny faces are symmetric, so a mirrored face is a face: left eye left, and no large target."""
    flipped = Augmentation(flip=1).scale(0)
    assert flipped.flip == 1
    batch = first(faces, targets, augmentation=flipped)
    assert batch.points.abs().max() < 5


def test_the_mirror_is_an_involution(targets):
    assert np.array_equal(targets.mirror[targets.mirror], np.arange(468))
    assert targets.mirror[33] != 33


def test_seed_epoch_and_place_decide_the_batch(faces, targets):
    again, same = first(faces, targets), first(faces, targets, threads=3)
    assert torch.equal(again.images, same.images)
    assert torch.equal(again.points, same.points)
    assert not torch.equal(again.images, first(faces, targets, number=1).images)
    batches = epoch(faces, targets)
    next(batches)
    assert torch.equal(next(batches).images, first(faces, targets, start=8).images)


def test_shares_of_a_batch_are_the_batch(faces, targets):
    whole = first(faces, targets)
    shares = [first(faces, targets, part=part) for part in (slice(0, 4), slice(4, 8))]
    for name in ("images", "occurrence", "mask", "intensity", "points"):
        assert torch.equal(torch.cat([getattr(share, name) for share in shares]), getattr(whole, name)), name


class Turned:
    """Eight heads that are turned to one side."""

    labels = ("AU1", "AU51", "AU52")
    occurrence = np.tile(np.array([1, 1, 0], np.int8), (8, 1))
    mask = np.tile(np.array([1, 1, 0], np.int8), (8, 1))
    clip = np.arange(8, dtype=np.int32)

    def crops(self, rows, size):
        return np.zeros((len(rows), size, size, 3), np.uint8)


def test_a_mirrored_face_has_the_mirrored_labels():
    draws = Cursor(build_sampler("uniform", Turned(), 0), 8).epoch()
    (batch,) = Batches(Turned(), 0).epoch(
        draws, CropView(32, 224), Augmentation.none(flip=1), 0, 0, slice(None)
    )
    assert batch.occurrence.tolist() == [[1, 0, 1]] * 8
    assert batch.mask.tolist() == [[1, 0, 1]] * 8


def test_a_face_in_two_views_is_mirrored_in_one(faces, targets):
    """Without other variation the second view is the first one's mirror image, of the same face with the same labels."""
    batch = first(faces, targets, augmentation=Augmentation.none(flip=0.5), twice=True)
    assert len(batch) == 16
    one, other = batch.images.chunk(2)
    # A warped mirror image samples the same pixels, up to rounding.
    assert (one.int() - other.flip(2).int()).abs().max() <= 1
    assert (one.int() - other.int()).abs().float().mean() > 5
    for name in ("occurrence", "mask", "intensity"):
        assert torch.equal(*getattr(batch, name).chunk(2)), name
    alone = first(faces, targets, augmentation=Augmentation.none(flip=0.5))
    for name in ("images", "occurrence", "mask", "intensity", "points"):
        assert torch.equal(getattr(batch, name).chunk(2)[0], getattr(alone, name)), name
    assert 0 < mirrored(faces, targets, 0.5).sum() < 8  # of the first views, some


def mirrored(faces, targets, flip):
    """Which of the first views are mirrored: those that differ from the view that never is."""
    seen, plain = (
        first(faces, targets, augmentation=Augmentation.none(flip=share)).images for share in (flip, 0.0)
    )
    return (seen.int() - plain.int()).abs().flatten(1).float().mean(dim=1) > 1


def test_landmarks_of_both_views_are_where_they_lie_in_them(faces, targets):
    """Each view's targets, taken back to pixels, are the landmarks moved as the picture was."""
    batch = first(faces, targets, twice=True)
    one, other = batch.points.chunk(2)
    # Targets are relative to the mean face, which is symmetric, so that mirrored views of one face have nearby targets.
    assert (one - other).abs().mean() < (one - other.roll(1, 0)).abs().mean() + 1
    still = first(faces, targets, augmentation=Augmentation.none(flip=0.5), twice=True).points
    ahead, mirror = still.reshape(2, 8, 468, 2)
    placed = ahead * torch.from_numpy(targets.deviation) + torch.from_numpy(targets.mean)
    turned = mirror * torch.from_numpy(targets.deviation) + torch.from_numpy(targets.mean)
    swapped = placed[:, torch.from_numpy(targets.mirror)]
    torch.testing.assert_close(turned[..., 0], 255 - swapped[..., 0], rtol=0, atol=1e-3)
    torch.testing.assert_close(turned[..., 1], swapped[..., 1], rtol=0, atol=1e-3)


def test_without_mirroring_the_second_view_is_another_cut(faces, targets):
    batch = first(faces, targets, augmentation=Augmentation.none(shift=16.0), twice=True)
    one, other = batch.images.chunk(2)
    assert not torch.equal(one, other)
    still = first(faces, targets, augmentation=Augmentation.none(), twice=True)
    assert torch.equal(*still.images.chunk(2))


@pytest.mark.parametrize("part", [slice(0, 4), slice(4, 8)])
def test_a_share_of_a_batch_in_two_views_has_whole_pairs(faces, targets, part):
    whole = first(faces, targets, twice=True)
    share = first(faces, targets, twice=True, part=part, threads=3)
    for name in ("images", "occurrence", "mask", "intensity", "points"):
        expected = torch.cat([view[part] for view in getattr(whole, name).chunk(2)])
        assert torch.equal(getattr(share, name), expected), name


def test_both_views_have_the_labels_of_their_side():
    draws = Cursor(build_sampler("uniform", Turned(), 0), 8).epoch()
    (batch,) = Batches(Turned(), 0, twice=True).epoch(
        draws, CropView(32, 224), Augmentation.none(flip=1), 0, 0, slice(None)
    )
    assert batch.occurrence.tolist() == [[1, 0, 1]] * 8 + [[1, 1, 0]] * 8
    assert batch.mask.tolist() == [[1, 0, 1]] * 8 + [[1, 1, 0]] * 8


def test_plain_images_are_the_central_cut_of_every_face(faces):
    images = torch.cat(list(plain_images(faces, np.arange(len(faces)), CropView(64, 128), 32)))
    assert images.shape == (60, 64, 64, 3)
    middle = faces.crops([3], 256)[0][64:192, 64:192].reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(images[3].numpy() - middle).max() <= 1


def test_prefetched_items_are_the_same_and_errors_arrive():
    assert list(prefetch(iter(range(20)), depth=2)) == list(range(20))

    def broken():
        yield 1
        raise InputError("a crop is not a readable JPEG")

    with pytest.raises(InputError, match="not a readable JPEG"):
        list(prefetch(broken()))


def test_closing_prefetched_items_waits_for_their_maker():
    """A maker that outlives the loop is torn out of C++ code when Python ends, and takes the process with it."""
    made = []

    def endless():
        while True:
            made.append(len(made))
            yield made[-1]

    items = prefetch(endless(), depth=2)
    assert [next(items), next(items)] == [0, 1]
    (maker,) = (thread for thread in threading.enumerate() if thread.name == "batches")
    items.close()
    assert not maker.is_alive()
    assert len(made) <= 6  # two taken, two waiting, one in the maker's hand, one that found room at the end


def test_a_maker_that_is_busy_at_the_end_does_not_kill_the_process():
    ended = subprocess.run(
        [sys.executable, "-c", BUSY], check=False, capture_output=True, text=True, timeout=120
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_normalised_images_are_rgb_in_imagenet_units():
    image = torch.zeros(1, 2, 2, 3, dtype=torch.uint8)
    image[..., 0] = 255
    values = Normaliser(InputSpec())(image)[0, :, 0, 0]
    torch.testing.assert_close(values, torch.tensor([(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225]))


def test_a_network_in_the_manner_of_caffe_gets_bgr_in_0_to_255():
    image = torch.arange(3, dtype=torch.uint8).expand(1, 2, 2, 3)
    spec = network_facts("drml").input
    torch.testing.assert_close(Normaliser(spec)(image)[0, :, 0, 0], torch.tensor([2.0, 1.0, 0.0]))


def test_a_teachers_answers_stay_with_their_faces(faces, targets):
    answers = np.arange(3 * len(faces), dtype=np.float32).reshape(-1, 3)
    draws = list(Cursor(build_sampler("uniform", faces, 5), 8).epoch())
    maker = Batches(faces, 5, twice=True, teacher=answers)
    (batch,) = maker.epoch(draws[:1], VIEW, Augmentation.none(), 0, 0, slice(None))
    assert batch.teacher.chunk(2)[0].tolist() == answers[draws[0].order].tolist()
    assert torch.equal(*batch.teacher.chunk(2))


def test_a_teachers_answers_change_sides_with_the_picture():
    draws = Cursor(build_sampler("uniform", Turned(), 0), 8).epoch()
    answers = np.tile(np.array([[1.0, 2.0, 3.0]], np.float32), (8, 1))
    (batch,) = Batches(Turned(), 0, twice=True, teacher=answers).epoch(
        draws, CropView(32, 224), Augmentation.none(flip=1), 0, 0, slice(None)
    )
    assert batch.teacher.tolist() == [[1, 3, 2]] * 8 + [[1, 2, 3]] * 8
