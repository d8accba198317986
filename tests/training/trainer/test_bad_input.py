"""Whatever is wrong with data or checkpoints: one line that names file and row, and exit code 2."""

import json
import shutil

import pytest
import torch

from edgeau_training.checkpoint import make_seeded_checkpoint, read_info
from edgeau_training.datasets.point_table import COLUMNS
from edgeau_training.evaluation.command import main as evaluate
from edgeau_training.evaluation.predictions import load_predictions
from edgeau_training.train_command import main


@pytest.fixture
def refused(tmp_path, capsys):
    """Runs the command and gives its one line."""

    def run(recipe, data, *arguments):
        line = [
            str(recipe),
            "--data",
            str(data),
            "--out",
            str(tmp_path / "out"),
            "--device",
            "cpu",
            *arguments,
        ]
        assert main(line) == 2
        said = capsys.readouterr()
        assert said.out == ""
        message = said.err.strip().splitlines()[-1]
        assert message.startswith("edgeau-train: ")
        assert "Traceback" not in said.err
        return message

    return run


@pytest.fixture
def copy(tmp_path, trees):
    """A copy of a tree that may be damaged."""
    return lambda name: shutil.copytree(trees[name], tmp_path / name)


def test_a_missing_subject(refused, written_recipe, trees):
    recipe = written_recipe("bp4d", options='{ subjects = ["F001", "F002"] }')
    message = refused(recipe, trees["bp4d"])
    assert "subject F002 is incomplete" in message
    assert "F002_T1.csv does not exist" in message


def test_a_wrong_column_count(refused, written_recipe, copy, write_lines):
    data = copy("aff-wild2")
    path = data / "AU_Detection_Challenge" / "Train_Set" / "video1.txt"
    rows = path.read_text().splitlines()
    rows[4] += ",0"
    write_lines(path, *rows)
    message = refused(written_recipe("aff-wild2", "ustc", loss="circle"), data)
    assert "video1.txt, row 5: 13 columns instead of 12" in message


def test_a_stage_in_pixels_that_the_network_does_not_take(refused, written_recipe, trees):
    path = written_recipe("pictures", "ir", "{ aligned = true }")
    path.write_text(path.read_text().replace("batch = 4", "batch = 4\npixels = 48"))
    message = refused(path, trees["pictures"])
    assert "stage 'all': siat-ir50 takes pictures of 32 pixels, not 48; leave pixels out" in message


def test_a_module_to_tap_that_is_not_there(refused, written_recipe, write_tiny_faces, tmp_path):
    more = 'fold = ""\n[auxiliary]\nintensity = 1.0\n[tap]\nmodule = "stem.nowhere"\nchannels = 8'
    path = written_recipe("synthetic", more=more)
    path.write_text(path.read_text().replace("save_every", 'labels = ["AU1", "AU4", "AU12"]\nsave_every'))
    message = refused(path, write_tiny_faces(tmp_path / "faces"))
    assert "tap: the network has no module 'stem.nowhere'" in message


def test_the_folds_name_in_the_file_to_start_from(refused, written_recipe, trees, tmp_path):
    recipe = written_recipe("pictures", "ir", "{ aligned = true, count = 3 }")
    message = refused(
        recipe, trees["pictures"], "--fold", "2", "--pretrained", str(tmp_path / "f-{fold}.pth")
    )
    assert "f-2.pth does not exist" in message


def test_a_table_of_points_that_names_none_of_the_pictures(refused, written_recipe, copy, write_lines):
    data = copy("pictures")
    write_lines(data / "points.csv", ",".join(COLUMNS), "img/0.png,1,2,3,4,5,6,7,8,9,10")
    recipe = written_recipe("pictures", "ir", more='points = "points.csv"\nwithout_face = "whole"')
    message = refused(recipe, data / "labels.csv")
    assert "points.csv names none of the 12 pictures of labels.csv" in message
    assert "such as 0.png" in message


def test_val_rows_choose_thresholds_and_test_rows_measure(
    written_recipe, copy, tmp_path, capsys, write_lines
):
    """They were left unused, and thresholds were fitted on the test rows."""
    data = copy("pictures")
    table = data / "labels.csv"
    rows = table.read_text().replace("8.png,4,test", "8.png,4,val").replace("9.png,4,test", "9.png,4,val")
    write_lines(table, *rows.splitlines())
    recipe = written_recipe("pictures", "ir", "{ aligned = true }", thresholds="f1")
    line = [str(recipe), "--data", str(data), "--device", "cpu", "--out"]
    assert main([*line, str(tmp_path / "three")]) == 0
    metrics = json.loads((tmp_path / "three" / "metrics.json").read_text())
    assert (metrics["side"], metrics["thresholds_from"], metrics["faces"]) == ("test", "validation", 2)
    answers = load_predictions(tmp_path / "three" / "predictions.npz")
    assert {side: len(table.truth) for side, table in answers.items()} == {"validation": 2, "test": 2}
    assert "fitted on these very faces" not in capsys.readouterr().out
    path = written_recipe("pictures", "ir", "{ aligned = true }", more="validation = 0.3")
    assert main([str(path), *line[1:], str(tmp_path / "both")]) == 2
    assert "has a validation side of its own" in capsys.readouterr().err


def test_thresholds_of_the_faces_they_are_measured_on_are_told(written_recipe, trees, tmp_path, capsys):
    recipe = written_recipe("pictures", "ir", "{ aligned = true }", thresholds="f1")
    line = [str(recipe), "--data", str(trees["pictures"]), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main(line) == 0
    assert "thresholds fitted on these very faces" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["thresholds_from"] == "test"


def test_a_whole_table_is_not_measured_by_what_was_trained_on_part_of_it(
    written_recipe, copy, tmp_path, capsys
):
    data = copy("pictures")
    for fold, advice in (("split", "--split test"), ("1", f"--data pictures:{data} --fold 1")):
        recipe = written_recipe("pictures", "ir", "{ aligned = true, count = 3 }")
        out = tmp_path / fold
        line = [str(recipe), "--data", str(data), "--out", str(out), "--device", "cpu", "--fold", fold]
        assert main(line) == 0
        capsys.readouterr()
        assert evaluate([str(out / "checkpoint.safetensors"), "--data", str(data)]) == 2
        said = capsys.readouterr().err
        assert f"was trained on fold {fold} of this table" in said
        assert advice in said
    line = [str(tmp_path / "split" / "checkpoint.safetensors"), "--data", str(data)]
    assert evaluate([*line, "--split", "test", "--resamples", "2"]) == 0
    (data / "labels.csv").write_text(
        (data / "labels.csv").read_text().replace("0.png,0,train,0", "0.png,0,train,1")
    )
    assert evaluate([*line, "--resamples", "2"]) == 0  # another table


@pytest.mark.parametrize(
    ("row", "changed"), [("6.png,6,train", "6.png,2,train"), ("7.png,7,train", "7.png,7,test")]
)
def test_a_run_does_not_go_on_with_other_people_or_sides(refused, written_recipe, copy, capsys, row, changed):
    """Pictures and labels are the same: the rows that are trained on, or whom they show, are others."""
    data = copy("pictures")
    table = data / "labels.csv"
    before = table.read_text().replace("6.png,3,", "6.png,6,").replace("7.png,3,", "7.png,7,")
    table.write_text(before)
    recipe = written_recipe("pictures", "ir", "{ aligned = true, count = 3 }")
    out = recipe.parent / "out"
    line = [str(recipe), "--data", str(data), "--out", str(out), "--device", "cpu", "--fold", "split"]
    assert main(line) == 0
    assert main([*line, "--resume"]) == 0
    assert row in before
    table.write_text(before.replace(row, changed))
    capsys.readouterr()
    message = refused(recipe, data, "--fold", "split", "--resume")
    assert "with another division of them into sides, people and clips" in message
    assert main([*line, "--resume", "--changed-recipe"]) == 0
    changes = read_info(out / "checkpoint.safetensors").provenance.changes
    assert [text.partition(": ")[2] for text in changes] == ["sides, people, clips or intensities"]


def test_a_state_of_before_the_division_was_recorded_goes_on(written_recipe, copy):
    data = copy("pictures")
    recipe = written_recipe("pictures", "ir", "{ aligned = true, count = 3 }")
    out = recipe.parent / "out"
    line = [str(recipe), "--data", str(data), "--out", str(out), "--device", "cpu"]
    assert main(line) == 0
    state = torch.load(out / "state.pt", weights_only=True)
    del state["division"]
    torch.save(state, out / "state.pt")
    assert main([*line, "--resume"]) == 0


def test_folds_of_another_recipe_are_not_averaged_with_those_of_this_one(
    refused, written_recipe, trees, capsys
):
    recipe = written_recipe("pictures", "ir", "{ aligned = true, count = 3 }")
    out = recipe.parent / "out"
    line = [str(recipe), "--data", str(trees["pictures"]), "--out", str(out), "--device", "cpu"]
    assert main([*line, "--folds", "1"]) == 0
    capsys.readouterr()
    recipe.write_text(recipe.read_text().replace("lr = 0.01", "lr = 0.02"))
    message = refused(recipe, trees["pictures"], "--folds", "1,2", "--resume")
    assert "fold-1 was trained with another recipe" in message
    assert not (out / "fold-2").exists()
    assert main([*line, "--folds", "1", "--resume", "--changed-recipe"]) == 0


def test_an_au_with_one_class_only_is_told(written_recipe, copy, tmp_path, capsys, write_lines):
    data = copy("pictures")
    rows = (data / "labels.csv").read_text().splitlines()
    write_lines(data / "labels.csv", f"{rows[0]},AU1,AU6,AU9",
                *(f"{row},{'' if ',train,' in row else 1},0,1" for row in rows[1:]))  # fmt: skip
    recipe = written_recipe("pictures", "ir", "{ aligned = true }")
    line = [str(recipe), "--data", str(data), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main(line) == 0
    assert (
        "training side of fold split of labels.csv: AU1 never labelled, AU6 never present, AU9 always present"
        in capsys.readouterr().err
    )


def test_a_list_of_pictures_that_points_nowhere(refused, written_recipe, copy, write_lines):
    data = copy("emotionet")
    path = data / "list.txt"
    write_lines(path, *path.read_text().splitlines(), "N_9.jpg " + " ".join(["0"] * 23))
    message = refused(written_recipe("emotionet", "ir", '{ coding = "list.txt" }'), data)
    assert "list.txt, row 13: there is no picture N_9.jpg" in message


@pytest.mark.parametrize(
    ("name", "network", "options", "damaged", "named"),
    [
        ("bp4d", "mrp", '{ subjects = ["F001", "M011", "F007"] }', "F001/T3/021.jpg", "BP4D, F001_T3: "),
        ("disfa", "mrp", '{ subjects = ["SN002", "SN013", "SN003"] }', "Videos_LeftCamera/LeftVideoSN013_comp.avi", "SN013, frame 1: "),
        ("pictures", "mrp", "{}", "3.png", "labels.csv, row 5: "),
        ("pictures", "ir", "{ aligned = true }", "3.png", "labels.csv, row 5: "),
        ("pictures", "ir", "{ aligned = true }", "9.png", "labels.csv, row 11: "),
    ],
)  # fmt: skip
def test_a_damaged_picture_is_named_and_the_rest_is_trained_on(
    written_recipe, copy, tmp_path, capsys, name, network, options, damaged, named
):
    """Also where aligned pictures are opened when they are drawn, in training or at its end."""
    data = copy(name)
    (data / damaged).write_bytes((data / damaged).read_bytes()[:40])
    recipe = written_recipe(name, network, options)
    assert main([str(recipe), "--data", str(data), "--out", str(tmp_path / "out"), "--device", "cpu"]) == 1
    said = capsys.readouterr().err
    assert f"{named}" in said
    assert damaged.rpartition("/")[2] in said
    assert (tmp_path / "out" / "checkpoint.safetensors").is_file()


def test_more_damage_than_a_tenth_ends_a_training(refused, written_recipe, copy):
    data = copy("pictures")
    for place in range(3):
        (data / f"{place}.png").write_bytes(b"")
    message = refused(written_recipe("pictures", "ir", "{ aligned = true }"), data)
    assert "2 of 8 pictures of labels.csv cannot be read, the last: " in message


def test_an_unknown_label_code(refused, written_recipe, copy, write_lines):
    data = copy("pictures")
    path = data / "labels.csv"
    write_lines(path, *path.read_text().replace("3.png,1,train,1", "3.png,1,train,7").splitlines())
    message = refused(written_recipe("pictures", "ir"), data)
    assert "labels.csv, row 5, AU4: label 7 is not known" in message


def test_a_checkpoint_of_another_network(refused, written_recipe, trees, tmp_path):
    other = tmp_path / "other.safetensors"
    make_seeded_checkpoint(other, "siat-ir50", ("AU4", "AU12"), units=(1, 1, 1, 1), size=32)
    recipe = written_recipe("pictures", options="{ aligned = true }")
    message = refused(recipe, trees["pictures"], "--pretrained", str(other))
    assert "other.safetensors holds network 'siat-ir50', the recipe trains 'mrpnet'" in message


def test_folds_that_are_not_there(refused, written_recipe, trees, write_tiny_faces, tmp_path):
    recipe = written_recipe("pictures", "ir", "{ aligned = true, count = 3 }")
    assert "pictures has no fold '9'; it has split, 1, 2, 3" in refused(
        recipe, trees["pictures"], "--fold", "9"
    )
    assert "pictures has no fold '9'" in refused(recipe, trees["pictures"], "--folds", "1,9")
    synthetic = written_recipe("synthetic", more="")
    faces = write_tiny_faces(tmp_path / "faces")
    assert "one division" in refused(synthetic, faces, "--folds")


def test_rows_that_cannot_be_used_are_named_and_the_rest_is_trained_on(
    tmp_path, written_recipe, copy, capsys
):
    table = copy("pictures") / "labels.csv"
    table.write_text(table.read_text() + "gone.png,9,train,0,1\n0.png,0,train,0,1,1\n")
    recipe = written_recipe("pictures", "ir", "{ count = 3 }")
    line = [str(recipe), "--data", str(table), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main(line) == 1
    said = capsys.readouterr().err
    assert "row 14: there is no picture" in said
    assert "row 15: 6 cells instead of 5" in said
    assert (tmp_path / "out" / "checkpoint.safetensors").is_file()
