"""What the fusion is fitted on: tables of one order of labels, and kept answers that hold all that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeau.errors import UserError
from edgeau_training.evaluation import fusion_command as module
from edgeau_training.evaluation.faces.batch import FaceBatch
from edgeau_training.evaluation.predictions import Predictions, save_predictions


class Faces:
    name, digest, labels, count = "faces", "", ("AU1", "AU4", "AU12"), 2
    has_pictures, problems, unreadable = False, (), 0

    def batches(self, _size: int, _limit: int | None = None) -> Iterator[FaceBatch]:
        yield FaceBatch(np.zeros((2, 468, 3), np.float32), np.array([[0, 1, 0], [1, 0, 1]], np.int8))


class Model:
    """Says the number of the AU for every face."""

    needs_pictures, alignment, provenance = False, None, None

    def __init__(self, name: str, labels: tuple[str, ...]) -> None:
        self.name, self.labels, self.thresholds = name, labels, np.full(len(labels), 0.5)

    def logits(self, batch: FaceBatch) -> np.ndarray:
        numbers = np.array([int(label.removeprefix("AU")) for label in self.labels], np.float32)
        return np.repeat(numbers[None], len(batch.truth), axis=0)

    def close(self) -> None:
        pass


def options(*more: str) -> object:
    given = ["network.onnx", "landmark.npz", "--data", "renders", "--out", "fusion.json", *more]
    return module._parser().parse_args(given)


def test_tables_of_real_faces_have_one_order_of_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    models = {
        "network.onnx": Model("network", ("AU12", "AU1")),
        "landmark.npz": Model("landmark", ("AU1", "AU4", "AU12")),
    }
    monkeypatch.setattr(module, "open_scorer", lambda model, *_: models[str(model)])
    monkeypatch.setattr(module, "open_faces", lambda *_: Faces())
    answers = module._answers(options("--real", "pictures"))
    assert {table.labels for table in answers.values()} == {("AU12", "AU1")}
    assert all(table.logits[0].tolist() == [12.0, 1.0] for table in answers.values())


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        (("--real", "pictures"), "network on real faces, no landmark on real faces"),
        (("--also", "int8"), r"1 other artifacts \(it has 0\)"),
    ],
)
def test_kept_answers_without_something_that_is_asked_for_are_refused(
    tmp_path: Path, more: tuple[str, ...], missing: str
) -> None:
    table = Predictions(("AU1",), np.zeros((1, 1), np.float32), np.zeros((1, 1), np.int8), np.array([0.5]))
    names = [f"{model} on {role}" for model in ("network", "landmark") for role in ("fitted", "measured")]
    save_predictions(tmp_path / "kept.npz", dict.fromkeys(names, table))
    assert set(module._answers(options("--keep", str(tmp_path / "kept.npz")))) == set(names)
    with pytest.raises(UserError, match=f"has no {missing}; remove it"):
        module._answers(options("--keep", str(tmp_path / "kept.npz"), *more))
