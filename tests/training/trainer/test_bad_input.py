"""Whatever is wrong with data or checkpoints: one line that names file and row, and exit code 2."""

import shutil

import pytest

from edgeau_training.checkpoint import make_seeded_checkpoint
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
