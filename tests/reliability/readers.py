"""Every reader of edgeau, with good files to begin from; each takes malformed bytes and gives nothing or one of edgeau's errors."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import edgeau
from tests.reliability.mutations import mutated, mutated_json, mutated_text, mutated_zip, with_checksums
from tests.reliability.page import PageReader, handshake, malformed_messages, malformed_request, request

__all__ = ["Reader", "make_readers"]

ROOT = Path(edgeau.__file__).resolve().parents[1]


@dataclass(frozen=True)
class Reader:
    """One reader.

    Attributes:
        name: for the report.
        make: malformed bytes, from dice.
        read: reads them, from a file of its own where it reads files.
        share: of all inputs, in the full run.
        good: bytes that it reads, of those that are changed.
        close: ends what it holds in this process.
    """

    name: str
    make: Callable[[random.Random], bytes]
    read: Callable[[bytes], object]
    share: float
    good: bytes
    close: Callable[[], None] = lambda: None


def make_readers(home: Path) -> dict[str, Reader]:
    """All of them, by name.

    Args:
        home: a folder for good files and those that are read.
    """
    found: list[Reader] = []
    for add in (_bundles, _archives, _pictures, _videos, _networks, _tables, _texts, _page):
        (home / add.__name__).mkdir(parents=True, exist_ok=True)
        found += add(home / add.__name__)
    return {reader.name: reader for reader in found}


def _file(path: Path, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def from_bytes(content: bytes) -> object:
        path.write_bytes(content)
        return read(path)

    return from_bytes


def _tiny_bundle(folder: Path) -> Path:
    """The packaged bundle with files of a few kilobytes in the place of its networks; digests are right."""
    from edgeau.bundle import packaged_bundle_path

    given = packaged_bundle_path("light")
    manifest = json.loads((given / "manifest.json").read_text())
    for record in manifest["files"]:
        source, place = given / record["file"], folder / record["file"]
        place.parent.mkdir(parents=True, exist_ok=True)
        content = source.read_bytes()
        place.write_bytes(
            content
            if len(content) < 100_000 and not record["file"].endswith((".onnx", ".tflite"))
            else content[:2000]
        )
        _record(manifest, record["file"], place.read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def _record(manifest: dict, name: str, content: bytes) -> None:
    for record in (*manifest["files"], *manifest["artifacts"]):
        if record["file"] == name:
            record["bytes"], record["sha256"] = len(content), hashlib.sha256(content).hexdigest()


def _bundles(home: Path) -> list[Reader]:
    from edgeau.bundle import load_bundle
    from edgeau.bundle.files import MANIFEST, SIGNATURE
    from edgeau.bundle.signature import Signer, TrustedSigners, sign_bundle
    from edgeau.bundle.signature.policy import verify_signature

    bundle = _tiny_bundle(home / "bundle")
    manifest = json.loads((bundle / MANIFEST).read_text())
    signed = Path(shutil.copytree(bundle, home / "signed"))
    key, public = _keys(home)
    sign_bundle(signed, Signer(key))
    signature, trusted = json.loads((signed / SIGNATURE).read_text()), TrustedSigners.read(public)
    good = (signed / SIGNATURE).read_bytes()

    def not_signed(content: bytes) -> object:
        (signed / SIGNATURE).write_bytes(content)
        found = verify_signature(signed, trusted)
        if json.loads(content)["dsseEnvelope"]["payload"] != json.loads(good)["dsseEnvelope"]["payload"]:
            raise AssertionError("a changed statement was believed")
        return found

    return [
        Reader(
            "manifest",
            lambda dice: mutated_json(manifest, dice),
            _file(bundle / MANIFEST, lambda _: load_bundle(bundle)),
            0.16,
            json.dumps(manifest).encode(),
        ),
        Reader("signature", lambda dice: mutated_json(signature, dice), not_signed, 0.06, good),
    ]


def _keys(home: Path) -> tuple[Path, Path]:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = ec.generate_private_key(ec.SECP256R1())
    (home / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (home / "maker.pub").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return home / "key.pem", home / "maker.pub"


def _archives(home: Path) -> list[Reader]:
    from edgeau.action_units.landmark_model import LandmarkModel
    from edgeau.action_units.neutral_baseline import NeutralBaseline
    from edgeau.bundle import packaged_bundle_path
    from edgeau.bundle.golden import read_golden
    from edgeau.bundle.network_identity import NetworkIdentity
    from edgeau.faces.alignment import Alignment
    from edgeau_calibration.data.load import load_calibration_set

    light = packaged_bundle_path("light")
    random_ = np.random.default_rng(0)
    crops = home / "crops.npz"
    faces = random_.integers(0, 255, (8, 14, 14, 3), np.uint8)  # as many as a calibration takes at the least
    np.savez_compressed(crops, crops=faces.repeat(16, 1).repeat(16, 2))
    golden = home / "golden-small.npz"
    with np.load(light / "golden.npz") as given:
        np.savez_compressed(golden, **{name: given[name] for name in given.files})
    baseline = home / "good-baseline.npz"
    logits, network = np.zeros(3, np.float32), NetworkIdentity("n", "0123456789abcdef")
    NeutralBaseline(np.zeros((468, 3), np.float32), "x", 30, network_logits=logits, network=network).save(
        baseline
    )

    def archive(name: str, good: Path, read: Callable[[Path], object], share: float) -> Reader:
        content = good.read_bytes()
        return Reader(
            name, lambda dice: mutated_zip(content, dice), _file(home / f"{name}.npz", read), share, content
        )

    return [
        archive("golden answers", golden, read_golden, 0.01),
        archive("landmark model", light / "landmark_model.npz", LandmarkModel.load, 0.02),
        archive("neutral baseline", baseline, NeutralBaseline.load, 0.06),
        archive("calibration crops", crops, lambda path: load_calibration_set(path, Alignment()), 0.01),
    ]


def _pictures(home: Path) -> list[Reader]:
    from edgeau.sources.picture_file import decoded_picture, read_picture
    from edgeau.sources.picture_header import read_picture_header

    face = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    good = {}
    for suffix in (".jpg", ".png", ".webp", ".tiff", ".bmp"):
        good[suffix] = cv2.imencode(suffix, face)[1].tobytes()
    exif = (
        b"\xff\xe1"
        + struct.pack(">H", 34)
        + b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    )
    good[".jpeg"] = good[".jpg"][:2] + exif + good[".jpg"][2:]
    names = list(good)

    def make(dice: random.Random) -> bytes:
        suffix = dice.choice(names)
        content = good[suffix]
        if dice.random() < 0.5:  # where the structure stands
            head = dice.choice((64, 200))
            content = mutated(content[:head], dice) + content[head:]
        else:
            content = mutated(content, dice)
        return with_checksums(content) if suffix == ".png" and dice.random() < 0.7 else content

    return [
        Reader("picture headers", make, read_picture_header, 0.2, good[".jpeg"]),
        Reader("pictures", make, _file(home / "picture.png", read_picture), 0.05, good[".png"]),
        Reader(
            "pictures of a viewer",
            make,
            lambda content: decoded_picture(content, "the picture"),
            0.03,
            good[".tiff"],
        ),
    ]


def _videos(home: Path) -> list[Reader]:
    from edgeau.sources import open_source

    good = {}
    for name, code in (("a.mp4", "mp4v"), ("a.avi", "MJPG")):
        writer = cv2.VideoWriter(str(home / name), cv2.VideoWriter.fourcc(*code), 25, (64, 48))
        for number in range(4):
            writer.write(np.full((48, 64, 3), 60 * number, np.uint8))
        writer.release()
        good[name] = (home / name).read_bytes()

    def make(dice: random.Random) -> bytes:
        return mutated(good[dice.choice(list(good))], dice)

    def read(path: Path) -> int:
        with open_source(str(path)) as source:
            return sum(1 for _, frame in zip(range(50), source, strict=False))

    return [Reader("videos", make, _file(home / "film.mp4", read), 0.01, good["a.mp4"])]


def _networks(home: Path) -> list[Reader]:
    import torch

    from edgeau.action_units.names import DEFAULT
    from edgeau.bundle import packaged_bundle_path
    from edgeau.bundle.external_data import external_files
    from edgeau.runtimes.tflite_file import check_tflite
    from edgeau_export.source_network.from_model_file import ModelFileSource
    from edgeau_training.checkpoint import METADATA_KEY, CheckpointInfo, read_info
    from tests.edgeau.conftest import tiny_network

    tiny_network(home / "good.onnx", None)
    onnx = (home / "good.onnx").read_bytes()
    tflite = (packaged_bundle_path("light") / "model.int8.tflite").read_bytes()
    head = 60_000  # of the tables that describe the network; they lie at both ends
    from safetensors.torch import save

    info = CheckpointInfo(
        "mrpnet", ("AU1", "AU12"), options={"mrp_variant": "R"}, thresholds={"AU1": 0.5, "AU12": 0.4}
    )
    safe = save(
        {"weight": torch.zeros(4, 4), "bias": torch.zeros(4)}, {METADATA_KEY: json.dumps(info.to_dict())}
    )
    torch.save({"state_dict": {"weight": torch.zeros(4, 4)}}, home / "good.pth")
    pth = (home / "good.pth").read_bytes()

    toml = home / "model.toml"
    toml.write_text(
        f'title = "x"\nweights = "net.onnx"\nlabels = {json.dumps(DEFAULT)}\noutput = "logits"\n[input]\nsize = [224, 224]\n'
        'color = "RGB"\nmean = [0.5, 0.5, 0.5]\nstd = [0.5, 0.5, 0.5]\nscale = 255\nlayout = "NCHW"\n[alignment]\nkind = "none"\n'
    )

    def tflite_bytes(dice: random.Random) -> bytes:
        if dice.random() < 0.5:
            return mutated(tflite[:head], dice) + tflite[head:]
        return tflite[:-head] + mutated(tflite[-head:], dice)

    def safetensors_bytes(dice: random.Random) -> bytes:
        size = struct.unpack("<Q", safe[:8])[0]
        said = json.loads(safe[8 : 8 + size])
        if dice.random() < 0.6:
            described = mutated_json(json.loads(said["__metadata__"][METADATA_KEY]), dice)
            said["__metadata__"][METADATA_KEY] = described.decode("utf-8", "replace")
            header = json.dumps(said).encode()
        else:
            header = mutated_json(said, dice)
        return (
            mutated(safe, dice)
            if dice.random() < 0.3
            else struct.pack("<Q", len(header)) + header + safe[8 + size :]
        )

    def foreign(path: Path) -> object:
        from edgeau_export.source_network.describe import describe

        return describe(path)

    def model(path: Path) -> object:
        return ModelFileSource(toml)

    return [
        Reader(
            "ONNX, weights elsewhere",
            lambda dice: mutated(onnx, dice),
            _file(home / "far.onnx", external_files),
            0.06,
            onnx,
        ),
        Reader(
            "ONNX of a model.toml",
            lambda dice: mutated(onnx, dice),
            _file(home / "net.onnx", model),
            0.005,
            onnx,
        ),
        Reader("TFLite", tflite_bytes, lambda content: check_tflite(content, "a.tflite"), 0.02, tflite),
        Reader("checkpoints", safetensors_bytes, _file(home / "a.safetensors", read_info), 0.08, safe),
        Reader(
            "checkpoints from elsewhere",
            lambda dice: mutated_zip(pth, dice),
            _file(home / "a.pth", foreign),
            0.01,
            pth,
        ),
    ]


def _tables(home: Path) -> list[Reader]:
    from edgeau.action_units.labelled_pictures import read_labelled_pictures

    face = np.zeros((48, 64, 3), np.uint8)
    cv2.imwrite(str(home / "a.png"), face)
    good = "picture,person,clip,split,AU1,AU12\n" + "".join(
        f"a.png,p{number},c,train,{number % 2},{number % 3}\n" for number in range(6)
    )
    return [
        Reader(
            "tables of pictures",
            lambda dice: mutated_text(good, dice),
            _file(home / "labels.csv", read_labelled_pictures),
            0.08,
            good.encode(),
        )
    ]


def _texts(home: Path) -> list[Reader]:
    from edgeau.sinks.address import Address
    from edgeau_export.source_network.model_file import read_model_file
    from edgeau_export.targets.target import load_target
    from edgeau_training.trainer.recipe import read_recipe

    target = next((ROOT / "export").rglob("raspberrypi5.toml")).read_text()
    recipe = next((ROOT / "training").rglob("mrpnet-small.toml")).read_text()
    described = (
        'title = "x"\nweights = "a.onnx"\nlabels = ["AU1", "AU2"]\noutput = "logits"\nthresholds = [0.5, 0.5]\n[input]\n'
        'size = [224, 224]\ncolor = "RGB"\nmean = [0.5, 0.5, 0.5]\nstd = [0.5, 0.5, 0.5]\nscale = 255\nlayout = "NCHW"\n'
        '[alignment]\nkind = "five-points"\npoints = [[73.5, 92.3], [147.1, 92.0], [112.0, 128.0], [83.1, 164.7], [141.5, 164.5]]\n'
    )
    (home / "a.onnx").write_bytes(b"x")
    addresses = ("rtsp://user:p/a#s?s@host:554/x?y=1", "http://host/x.mjpg", "mqtt://h/t", "clip", "0")

    def address(content: bytes) -> object:
        text = content.decode("utf-8", "replace")
        return Address.parse(text)

    return [
        Reader(
            "targets",
            lambda dice: mutated_text(target, dice),
            _file(home / "target.toml", lambda path: load_target(str(path))),
            0.05,
            target.encode(),
        ),
        Reader(
            "training recipes",
            lambda dice: mutated_text(recipe, dice),
            _file(home / "recipe.toml", read_recipe),
            0.05,
            recipe.encode(),
        ),
        Reader(
            "model.toml",
            lambda dice: mutated_text(described, dice),
            _file(home / "model.toml", read_model_file),
            0.04,
            described.encode(),
        ),
        Reader("addresses", lambda dice: mutated_text(dice.choice(addresses), dice), address, 0.03, b"clip"),
    ]


def _page(_home: Path) -> list[Reader]:
    requests, messages = PageReader(), PageReader()
    return [
        Reader(
            "HTTP requests", malformed_request, requests.read, 0.03, request("GET", "/about"), requests.close
        ),
        Reader(
            "WebSocket messages",
            malformed_messages,
            messages.read,
            0.03,
            handshake("/numbers"),
            messages.close,
        ),
    ]
