"""Checkpoints and bundles on the published sets, in tiny trees of their real layouts, through the command."""

import json
import shutil

import numpy as np
import pytest
import torch

from edgeau._system.records import to_dict
from edgeau.bundle.provenance import Provenance, TrainedOn
from edgeau_training.checkpoint import CheckpointInfo, save_checkpoint
from edgeau_training.datasets import open_data_set
from edgeau_training.datasets.aff_wild2 import LABELS as AFF_WILD2
from edgeau_training.datasets.aligners import CANVAS, ArcFaceTemplate
from edgeau_training.datasets.emotionet import LABELS as EMOTIONET
from edgeau_training.datasets.point_table import COLUMNS, read_points
from edgeau_training.datasets.preparation import prepare
from edgeau_training.evaluation.command import main
from edgeau_training.networks import build_network
from edgeau_training.networks.catalogue import network_facts
from edgeau_training.postprocessing.merge import merge
from edgeau_training.trainer.framing import framing_of
from tests.training.trees import OPTIONS

MRP = ("mrpnet", {"stem": "test_efficientnet"})
IR = ("siat-ir50", {"units": [1, 1, 1, 1], "size": 32})


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """Writes a seeded checkpoint for some labels; it says what it was trained on."""

    def make(labels, seed=0, data_set="", fold="", kind=MRP):
        name, options = kind
        torch.manual_seed(seed)
        network = build_network(name, labels, **options)
        facts, framing = network_facts(name, **options), framing_of(name, options, data_set or "bp4d")
        told = Provenance(trained_on=TrainedOn(data_set, fold)) if data_set else None
        info = CheckpointInfo(
            name,
            tuple(labels),
            options,
            input=to_dict(facts.input),
            alignment=framing.alignment.to_dict(),
            trained=True,
            training="a test",
            provenance=told,
        )
        path = tmp_path_factory.mktemp("checkpoints") / f"fold-{fold or 'none'}-{seed}.safetensors"
        save_checkpoint(path, network, info)
        return path

    return make


@pytest.fixture
def evaluate(trees, capsys):
    """Runs the command on a set; gives exit code, document and what stood on stderr."""

    def run(name, *arguments, told=True):
        line = [*map(str, arguments), "--data", f"{name}:{trees[name]}", "--resamples", "20", "--json"]
        for option, value in OPTIONS[name].items() if told else ():
            line += ["--data-option", f"{option}={','.join(value) if isinstance(value, list) else value}"]
        code = main(line)
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else None, said.err

    return run


@pytest.mark.parametrize(
    ("name", "faces", "labels", "kind"),
    [
        ("bp4d", 48, ("AU1", "AU4", "AU12"), MRP),
        ("disfa", 24, ("AU1", "AU4", "AU12"), MRP),
        ("emotionet", 12, ("AU1", "AU4", "AU12"), MRP),
        ("aff-wild2", 105, AFF_WILD2, IR),
        ("pictures", 12, ("AU4", "AU12"), MRP),
    ],
)
def test_a_checkpoint_on_every_set(evaluate, checkpoint, name, faces, labels, kind):
    code, document, err = evaluate(name, checkpoint(labels, kind=kind))
    assert code == 0, err
    assert document["data"]["name"] == name
    assert document["data"]["faces"] == faces
    assert set(document["models"][0]["per_au"]) == set(labels)
    assert document["models"][0]["interval"]["resampled"] == "persons"


@pytest.mark.parametrize(
    ("name", "damaged", "named", "faces", "lost"),
    [
        ("bp4d", "F001/T3/021.jpg", "BP4D, F001_T3: ", 47, 1),
        ("disfa", "Videos_LeftCamera/LeftVideoSN013_comp.avi", "DISFA, SN013, frame 1: ", 16, 8),
        ("emotionet", "img/N_000004.jpg", "N_000004.jpg", 11, 1),
        ("aff-wild2", "cropped_aligned/video2/00009.jpg", ", video2: ", 104, 1),
        ("pictures", "3.png", "labels.csv, row 5: ", 11, 1),
    ],
)
def test_a_damaged_picture_is_named_and_the_rest_is_measured(
    trees, checkpoint, tmp_path, capsys, name, damaged, named, faces, lost
):
    root = shutil.copytree(trees[name], tmp_path / name)
    (root / damaged).write_bytes((root / damaged).read_bytes()[:40])
    labels, kind = (AFF_WILD2, IR) if name == "aff-wild2" else (("AU4", "AU12"), MRP)
    line = [str(checkpoint(labels, kind=kind)), "--data", f"{name}:{root}", "--resamples", "20", "--json"]
    for option, value in OPTIONS[name].items():
        line += ["--data-option", f"{option}={','.join(value) if isinstance(value, list) else value}"]
    code = main(line)
    said = capsys.readouterr()
    assert code == 1, said.err
    data = json.loads(said.out)["data"]
    assert (data["faces"], data["not_found"], len(data["problems"])) == (faces, 0, lost)
    assert named in data["problems"][0]
    assert damaged.rpartition("/")[2] in data["problems"][0]
    assert data["problems"][0] in said.err


def test_a_bundle_on_a_set(evaluate, bundle):
    code, document, _ = evaluate("disfa", bundle)
    assert code == 0
    assert set(document["models"][0]["per_au"]) == {"AU1", "AU4", "AU12"}


def test_another_data_set_is_measured_over_the_aus_they_share(evaluate, checkpoint):
    bp4d = ("AU1", "AU2", "AU4", "AU6", "AU7", "AU10", "AU12", "AU14")
    trained = checkpoint(bp4d, data_set="bp4d", fold="1")
    code, document, err = evaluate("disfa", trained)
    assert code == 0, err
    assert list(document["models"][0]["per_au"]) == ["AU1", "AU2", "AU4", "AU6", "AU12"]
    assert document["data"]["faces"] == 24


def test_a_fold_has_its_test_side_and_its_training_side(evaluate, checkpoint, trees):
    model = checkpoint(("AU1", "AU4"))
    reader = open_data_set("bp4d", trees["bp4d"], **OPTIONS["bp4d"])
    frames = reader.read()
    tested = evaluate("bp4d", model, "--fold", "2")[1]["data"]
    trained = evaluate("bp4d", model, "--fold", "2", "--split", "train")[1]["data"]
    fold = reader.fold(frames, "2")
    assert (tested["faces"], trained["faces"]) == (len(fold.test), len(fold.train)) == (16, 32)
    assert tested["digest"] == frames.select(fold.test).digest


def test_nobody_that_a_model_was_trained_on_is_among_its_test_faces(evaluate, checkpoint):
    model = checkpoint(("AU1", "AU4"), data_set="bp4d", fold="3")
    code, document, err = evaluate("bp4d", model)
    assert code == 0
    assert document["data"]["name"] == "bp4d, fold 3, test"
    assert "trained on fold 3 of bp4d, so measured on its test side" in err
    code, _, err = evaluate("bp4d", model, "--fold", "1")
    assert code == 2
    assert "was trained on fold 3 of bp4d, so that people of other test sides" in err
    assert evaluate("bp4d", model, "--fold", "1", "--split", "train")[0] == 0


def test_each_of_several_models_of_one_name_is_asked_for_its_fold(evaluate, checkpoint, tmp_path):
    """Files of two runs are both called checkpoint.safetensors; the first one was not looked at."""
    models = []
    for fold in ("1", "2"):
        model = checkpoint(("AU1", "AU4"), data_set="bp4d", fold=fold)
        models.append(tmp_path / f"fold-{fold}" / "checkpoint.safetensors")
        models[-1].parent.mkdir()
        model.rename(models[-1])
    for arguments in (("--ensemble", "logits"), ("--ensemble", "logits", "--fold", "2")):
        code, _, err = evaluate("bp4d", *models, *arguments)
        assert code == 2
        assert "checkpoint.safetensors (1) was trained on fold 1 of bp4d" in err
    code, _, err = evaluate("bp4d", models[1], "--against", models[0], "--fold", "2")
    assert code == 2
    assert "checkpoint.safetensors (2) was trained on fold 1 of bp4d" in err


def test_every_fold_of_a_merged_model_counts(evaluate, checkpoint, tmp_path):
    members = [checkpoint(("AU1", "AU4"), data_set="disfa", fold=fold, kind=IR) for fold in ("1", "2")]
    merge(members, tmp_path / "merged.safetensors")
    for arguments in ((), ("--fold", "1"), ("--fold", "2")):
        code, _, err = evaluate("disfa", tmp_path / "merged.safetensors", *arguments)
        assert code == 2
        assert "networks trained on folds 1, 2 of disfa, so that every test side has people" in err
    merge([members[0]] * 2, tmp_path / "merged.safetensors")
    code, document, _ = evaluate("disfa", tmp_path / "merged.safetensors")
    assert code == 0
    assert document["data"]["name"] == "disfa, fold 1, test"


def test_a_fold_that_is_named_twice_counts_once(evaluate, checkpoint, tmp_path):
    for number in ("1", "2"):
        checkpoint(("AU1", "AU4"), seed=int(number), data_set="bp4d", fold=number).rename(
            tmp_path / f"fold-{number}.safetensors"
        )
    once, twice = (
        evaluate("bp4d", tmp_path / "fold-{fold}.safetensors", "--folds", names)[1]
        for names in ("1,2", "1,2,2")
    )
    assert once == twice


def test_every_fold_is_measured_by_its_own_model(evaluate, checkpoint, tmp_path):
    labels = ("AU1", "AU4", "AU12")
    for number in ("1", "2", "3"):
        made = checkpoint(labels, seed=int(number), data_set="bp4d", fold=number)
        made.rename(tmp_path / f"fold-{number}.safetensors")
    code, document, err = evaluate("bp4d", tmp_path / "fold-{fold}.safetensors", "--folds")
    assert code == 0, err
    assert list(document["folds"]) == ["1", "2", "3"]
    alone = [
        evaluate("bp4d", tmp_path / f"fold-{number}.safetensors")[1]["models"][0]["per_au"]["AU4"]["f1"][
            "value"
        ]
        for number in ("1", "2", "3")
    ]
    folds = [document["folds"][number]["per_au"]["AU4"]["f1"] for number in ("1", "2", "3")]
    assert folds == pytest.approx([value or 0 for value in alone], abs=1e-4)
    assert document["mean"]["per_au"]["AU4"]["f1"] == pytest.approx(np.mean(folds), abs=1e-4)
    some = evaluate("bp4d", tmp_path / "fold-{fold}.safetensors", "--folds", "1,3")[1]
    assert list(some["folds"]) == ["1", "3"]


@pytest.mark.parametrize("kind", ["logits", "probabilities", "vote"])
def test_several_models_are_one(evaluate, checkpoint, kind):
    models = [checkpoint(("AU1", "AU4", "AU12"), seed=seed) for seed in range(3)]
    code, document, err = evaluate("disfa", *models, "--ensemble", kind)
    assert code == 0, err
    (model,) = document["models"]
    assert model["model"].startswith(f"{kind} of 3: ")
    assert set(model["per_au"]) == {"AU1", "AU4", "AU12"}


def test_prepared_crops_give_what_the_pictures_give(evaluate, checkpoint, trees, tmp_path):
    model = checkpoint(("AU1", "AU4"))
    frames = open_data_set("disfa", trees["disfa"], **OPTIONS["disfa"]).read()
    prepare(frames, tmp_path / "crops", CANVAS)
    whole = evaluate("disfa", model)[1]["models"][0]
    code, document, err = evaluate("disfa", model, "--crops", tmp_path / "crops")
    assert code == 0, err
    crops = document["models"][0]
    # JPEG and a second resampling apart.
    assert crops["mean"]["auc"]["value"] == pytest.approx(whole["mean"]["auc"]["value"], abs=0.1)
    code, _, err = evaluate("disfa", model, "--crops", tmp_path)
    assert code == 2
    assert "holds no preparation.json" in err


def test_crops_that_a_training_took_whole_or_cut_by_given_points(evaluate, checkpoint, trees, tmp_path):
    """SIAT-NTU's recipes take pictures without a face whole; such crops were refused as made with other settings."""
    model = checkpoint(EMOTIONET, kind=IR, data_set="emotionet", fold="1")
    frames = open_data_set("emotionet", trees["emotionet"], **OPTIONS["emotionet"]).read()
    prepare(frames, tmp_path / "whole", ArcFaceTemplate(64), without_face="whole")
    table = tmp_path / "points.csv"
    rows = [f"img/N_{place:06d}.jpg,100,100,180,100,140,140,110,190,170,190" for place in range(12)]
    table.write_text("\n".join((",".join(COLUMNS), *rows)) + "\n")
    prepare(frames, tmp_path / "points", ArcFaceTemplate(64), points=read_points(table, trees["emotionet"]))
    for crops in ("whole", "points"):
        code, document, err = evaluate("emotionet", model, "--crops", tmp_path / crops)
        assert code == 0, err
        assert document["data"]["faces"] == 3  # a fifth of 12


def test_crops_of_another_cut_go_through_the_landmarks(trees, checkpoint, evaluate):
    """Aff-Wild2's crops are cut as face recognition has them; a network of the five-point box must not see them as they are."""
    code, document, err = evaluate("aff-wild2", checkpoint(("AU1", "AU4")), "--limit", "8")
    assert code in (0, 1), err
    assert document["data"]["faces"] + document["data"]["not_found"] == 8


def test_answers_that_the_aff_wild2_challenge_takes(evaluate, checkpoint, trees, tmp_path):
    sample = tmp_path / "sample.txt"
    names = ["video3/00001.jpg", "video3/00002.jpg", "video3/00003.jpg", "video4/00009.jpg"]
    sample.write_text("image,AU1,AU2\n" + "".join(f"{name},\n" for name in names))
    models = [checkpoint(AFF_WILD2, seed=seed, kind=IR) for seed in range(3)]
    out = tmp_path / "predictions.txt"
    line = ("aff-wild2", *models, "--ensemble", "vote", "--sample", sample, "--answers", out)
    code, document, err = evaluate(*line)
    assert code == 0, err
    assert document["models"] == []
    header, *rows = out.read_text().splitlines()
    assert header == "image,AU1,AU2"
    assert [row.split(",")[0] for row in rows] == names
    assert all(len(row.split(",")) == 13 and set(row.split(",")[1:]) <= {"0", "1"} for row in rows)
    assert "1 of them by their neighbours" in err  # the tree lacks frame 3


def test_answers_that_the_emotionet_challenge_takes(evaluate, checkpoint, tmp_path):
    model = checkpoint(EMOTIONET)
    out = tmp_path / "answers.csv"
    code, document, err = evaluate("emotionet", model, "--unlabelled", "--answers", out, told=False)
    assert code == 0, err
    assert document["models"] == []
    rows = [line.split(",") for line in out.read_text().splitlines()]
    assert [row[0] for row in rows] == [f"{place:06d}" for place in range(12)]
    assert {len(row) for row in rows} == {61}
    code, document, _ = evaluate("emotionet", model, "--answers", tmp_path / "known.npy")
    assert code == 0
    assert len(document["models"]) == 1
    assert (tmp_path / "known.npy").is_file()


def test_answers_are_a_table_that_can_be_read_as_labels(evaluate, checkpoint, trees, tmp_path):
    from edgeau.action_units.labelled_pictures import read_labelled_pictures

    out = trees["pictures"] / "answers.csv"
    code, _, err = evaluate("pictures", checkpoint(("AU4", "AU12")), "--answers", out)
    assert code == 0, err
    found = read_labelled_pictures(out)
    out.unlink()
    assert (len(found), found.labels) == (12, ("AU4", "AU12"))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("bp4d", ("--fold", "9"), "bp4d has no fold '9'; it has 1, 2, 3"),
        ("bp4d", ("--split", "test"), "--split test is a side of a fold of bp4d"),
        ("bp4d", ("--fold", "1", "--split", "dev"), "has no side 'dev'; it has test, train"),
        ("bp4d", ("--folds",), "write {fold} where their names differ"),
        ("bp4d", ("--data-option", "subjects"), "options are written name=value"),
        ("bp4d", ("--data-option", "colour=red"), "data set 'bp4d' does not take these options"),
        ("bp4d", ("--answers", "a.txt"), "answers on bp4d are a .csv file"),
        ("aff-wild2", ("--answers", "a.txt"), "need --sample"),
        ("emotionet", ("--unlabelled",), "say --answers FILE"),
        ("disfa", ("--unlabelled", "--answers", "a.csv"), "disfa has no test set without labels"),
        ("disfa", ("--aus", "AU43"), "share no wanted label"),
    ],
)
def test_what_a_user_can_mend_ends_in_one_line(evaluate, checkpoint, name, arguments, message):
    code, document, err = evaluate(name, checkpoint(("AU1", "AU4")), *arguments)
    assert (code, document) == (2, None)
    assert message in err
    assert "Traceback" not in err


def test_options_of_sets_are_refused_beside_plain_data(checkpoint, trees, capsys):
    model = str(checkpoint(("AU4", "AU12")))
    for option in (("--fold", "1"), ("--crops", "x"), ("--data-option", "a=b")):
        assert main([model, "--data", str(trees["pictures"]), *option]) == 2
        assert f"{option[0]} belongs to a published set" in capsys.readouterr().err
    assert main([model, model, "--data", str(trees["pictures"])]) == 2
    assert "2 models were given: --ensemble" in capsys.readouterr().err
