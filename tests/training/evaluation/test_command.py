import json

import cv2
import numpy as np
import pytest

from edgeau.action_units.names import DEFAULT
from edgeau_training.checkpoint import make_seeded_checkpoint
from edgeau_training.evaluation.command import main
from edgeau_training.evaluation.fusion_command import main as fuse_main

FEW = ("--resamples", "20")


@pytest.fixture
def evaluate(faces, capsys):
    """Runs the command on the tiny data set; returns exit code, JSON document and what stood on stderr."""

    def run(*arguments, data=faces, split="test"):
        split_arguments = ("--split", split) if split else ()
        code = main([*map(str, arguments), "--data", str(data), *split_arguments, "--json", *FEW])
        printed = capsys.readouterr()
        return code, json.loads(printed.out) if printed.out else None, printed.err

    return run


def test_a_bundle_is_measured_by_what_it_ships(evaluate, bundle):
    code, document, err = evaluate(bundle)
    assert code == 1  # four faces were not found, and that is said
    assert "no face was found in 4 of 64 pictures" in err
    assert document["data"]["faces"] == 60
    (model,) = document["models"]
    assert model["model"] == "bundle/float.onnx + landmark.npz"
    assert set(model["per_au"]) == {"AU1", "AU4", "AU12"}
    assert model["per_au"]["AU1"]["threshold"] == 0.45
    assert model["interval"]["resampled"] == "persons"


@pytest.mark.parametrize(
    ("arguments", "name", "threshold"),
    [
        (("--part", "network"), "bundle/float.onnx", 0.3),
        (("--part", "network", "--artifact", "int8"), "bundle/int8.onnx", 0.3),
        (("--part", "landmark"), "landmark.npz", 0.6),
        (("--part", "fused", "--artifact", "int8.onnx"), "bundle/int8.onnx + landmark.npz", 0.45),
    ],
)
def test_parts_and_artifacts_of_a_bundle_are_chosen(evaluate, bundle, arguments, name, threshold):
    _, document, _ = evaluate(bundle, *arguments)
    assert document["models"][0]["model"] == name
    assert document["models"][0]["per_au"]["AU1"]["threshold"] == pytest.approx(threshold)


def test_two_artifacts_are_compared(evaluate, bundle):
    _, document, _ = evaluate(
        bundle, "--artifact", "int8", "--part", "network", "--against", bundle, "--against-part", "network"
    )
    summary = document["comparison"]["summary"]
    assert 0 < summary["largest_probability_change"] < 0.5
    assert 0 <= summary["decision_flips"] <= 1
    same = evaluate(bundle, "--against", bundle)[1]["comparison"]["summary"]
    assert same["decision_flips"] == same["largest_probability_change"] == 0


def test_f1_in_the_document_is_f1_of_the_logits(evaluate, bundle, faces):
    from sklearn.metrics import f1_score

    from edgeau_training.evaluation.faces import open_faces
    from edgeau_training.evaluation.run import predict
    from edgeau_training.evaluation.scorers import open_scorer

    (table,) = predict([open_scorer(bundle)], open_faces(faces, "test")).predictions
    per_au = evaluate(bundle)[1]["models"][0]["per_au"]
    for column, label in enumerate(table.labels):
        expected = f1_score(table.truth[:, column], table.decisions[:, column])
        assert per_au[label]["f1"]["value"] == pytest.approx(expected)


def test_an_onnx_file_with_metadata_and_a_checkpoint_are_models(evaluate, onnx_file, make_onnx, tmp_path):
    _, document, _ = evaluate(onnx_file, "--against", make_onnx(tmp_path / "seeded.onnx", trained=False))
    assert [model["model"] for model in document["models"]] == ["squares.onnx", "seeded.onnx (untrained)"]
    checkpoint = tmp_path / "seeded.safetensors"
    make_seeded_checkpoint(checkpoint, labels=("AU4", "AU12"), stem="test_efficientnet")
    _, document, _ = evaluate(checkpoint, "--limit", "8")
    assert document["models"][0]["model"] == "seeded.safetensors (untrained)"
    assert set(document["models"][0]["per_au"]) == {"AU4", "AU12"}


def test_files_are_written_whole(bundle, faces, tmp_path, capsys):
    out = tmp_path / "deep" / "out"
    main([str(bundle), "--data", str(faces), "--out", str(out), *FEW])
    assert sorted(path.name for path in out.iterdir()) == ["evaluation.json", "f1-auc.png", "roc.png"]
    assert json.loads((out / "evaluation.json").read_text())["models"][0]["mean"]["f1"]["value"] > 0
    assert (out / "roc.png").read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert "AU12" in printed
    assert "bootstrap interval, 20 draws of persons" in printed


def test_only_the_wanted_action_units(evaluate, bundle):
    assert list(evaluate(bundle, "--aus", "12,AU1")[1]["models"][0]["per_au"]) == ["AU12", "AU1"]


def test_landmarks_without_pictures_measure_the_landmark_model(evaluate, bundle, landmark_file, tmp_path):
    random = np.random.default_rng(0)
    file = tmp_path / "real.npz"
    labels = random.integers(-1, 2, (40, 2))
    np.savez(file, landmarks=random.normal(0, 50, (40, 478, 3)), labels=labels, aus=[4, 12])
    code, document, _ = evaluate(bundle, "--part", "landmark", data=file, split=None)
    assert code == 0
    assert document["models"][0]["per_au"]["AU4"]["labelled"] == int((labels[:, 0] >= 0).sum())
    assert document["models"][0]["interval"]["resampled"] == "faces"
    code, _, err = evaluate(bundle, data=file, split=None)
    assert code == 2
    assert "landmarks only; evaluate the landmark model alone (--part landmark)" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gone.safetensors",), "gone.safetensors does not exist"),
        (("gone",), "does not exist; expected a bundle"),
        (("{landmark}", "--part", "network"), "single model"),
        (
            ("{bundle}", "--artifact", "tensorrt"),
            "no artifact for 'tensorrt'; it has onnxruntime/fp32 (float.onnx)",
        ),
        (("{bundle}", "--against-part", "network"), "--against, which is missing"),
        (("{bundle}", "--aus", "99"), "share no wanted label"),
        (("{bundle}", "--aus", "smile"), "share no wanted label"),
        (("{bundle}", "--limit", "0"), "must be a whole number of 1 or more, got '0'"),
        (("{bundle}", "--limit", "x"), "must be a whole number of 1 or more, got 'x'"),
    ],
)
def test_what_a_user_can_mend_ends_in_one_line(evaluate, bundle, landmark_file, arguments, message):
    places = {"{bundle}": str(bundle), "{landmark}": str(landmark_file)}
    code, document, err = evaluate(*(places.get(argument, argument) for argument in arguments))
    assert (code, document) == (2, None)
    assert message in err
    assert err.count("\n") == 1


def test_an_unknown_split_is_one_line(evaluate, bundle):
    code, _, err = evaluate(bundle, split="dev")
    assert code == 2
    assert "has no split 'dev'; it has train, val, test" in err


def test_an_onnx_file_without_metadata_is_refused(evaluate, tmp_path, onnx_file):
    import onnx

    model = onnx.load(onnx_file)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "plain.onnx")
    code, _, err = evaluate(tmp_path / "plain.onnx")
    assert code == 2
    assert "says nothing about its labels" in err


def test_the_fusion_command_writes_what_a_manifest_takes(onnx_file, landmark_file, faces, tmp_path, capsys):
    out = tmp_path / "fusion.json"
    arguments = [str(onnx_file), str(landmark_file), "--data", str(faces), "--out", str(out)]
    arguments += ["--keep", str(tmp_path / "answers.npz")]
    assert fuse_main([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads(out.read_text())
    assert set(document["fusion"]) == {"network", "landmark", "bias", "rest"}
    assert set(document["fusion"]["network"]) == {"AU1", "AU4", "AU12"}
    assert set(document["thresholds"]) == {"landmark", "network", "fused"}
    assert set(document["measured"]["fused"]["per_au"]) == {"AU1", "AU4", "AU12"}
    arguments[0] = "gone.onnx"  # what the models said was kept, so that they need not run again
    assert fuse_main(arguments) == 0
    assert json.loads(out.read_text())["fusion"] == document["fusion"]
    assert "fitted on val, measured on test" in capsys.readouterr().out


def test_labels_that_the_landmark_model_lacks_cannot_be_fused(landmark_file, faces, tmp_path, capsys):
    make_seeded_checkpoint(tmp_path / "all.safetensors", labels=DEFAULT, stem="test_efficientnet")
    arguments = [str(tmp_path / "all.safetensors"), str(landmark_file), "--data", str(faces)]
    assert fuse_main([*arguments, "--out", str(tmp_path / "fusion.json")]) == 2
    assert "does not know AU2" in capsys.readouterr().err


def test_a_kept_file_that_is_something_else_is_refused(onnx_file, landmark_file, faces, tmp_path, capsys):
    (tmp_path / "answers.npz").write_text("no")
    arguments = [
        str(onnx_file),
        str(landmark_file),
        "--data",
        str(faces),
        "--keep",
        str(tmp_path / "answers.npz"),
    ]
    assert fuse_main([*arguments, "--out", str(tmp_path / "fusion.json")]) == 2
    assert "holds no predictions" in capsys.readouterr().err


def test_rows_of_a_table_that_cannot_be_used_are_named_and_the_rest_is_measured(
    evaluate, bundle, astronaut, tmp_path
):
    cv2.imwrite(str(tmp_path / "face.png"), astronaut)
    (tmp_path / "labels.csv").write_text(
        "picture,person,AU1,AU4\nface.png,eileen,1,0\ngone.png,neil,1,0\nface.png,eileen,1,0,0\n"
    )
    for data in (tmp_path, tmp_path / "labels.csv"):
        code, document, err = evaluate(bundle, data=data, split=None)
        assert code == 1
        assert document["data"]["faces"] == 1
        assert document["data"]["not_found"] == 0
        assert len(document["data"]["problems"]) == 2
        assert "row 3: there is no picture" in err
        assert "row 4: 5 cells instead of 4" in err
