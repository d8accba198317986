from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeau.action_units.network import AUDetector
from edgeau.bundle import benchmark as measuring
from edgeau.bundle import load_bundle, verification
from edgeau.bundle.golden import Answer, Golden, check_golden, read_golden, write_golden
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.select import select_artifact
from edgeau.errors import BundleError, DependencyError, EngineError
from edgeau.runtimes import open_session
from edgeau.runtimes.session import FunctionSession
from edgeau.runtimes.table import Runtime

LABELS = ("AU1", "AU12")


def check(
    answer: np.ndarray, precision: str, decisions: np.ndarray | None = None, golden_logits=(0.5, -1.0)
) -> None:
    """Check a function session that always answers ``answer`` against one golden answer."""
    logits = np.array([golden_logits], np.float32)
    golden = Golden(
        np.zeros((1, 224, 224, 3), np.uint8),
        {"m.onnx": Answer(logits, logits >= 0 if decisions is None else decisions)},
    )
    artifact = Artifact("m.onnx", "function", precision, None, 1, "", dict.fromkeys(LABELS, 0.5))
    session = FunctionSession(lambda _: answer)
    from edgeau.bundle.manifest import InputSpec

    check_golden(golden, artifact, session, InputSpec(), LABELS)


@pytest.mark.parametrize(("precision", "logit"), [("fp32", 5e-4), ("fp16", 0.05), ("int8", 0.2)])
def test_the_noise_of_another_machine_passes(precision: str, logit: float) -> None:
    check(np.array([[0.5 + logit, -1.0 - logit]]), precision)


@pytest.mark.parametrize(
    ("answer", "precision", "message"),
    [
        ([[0.502, -1.0]], "fp32", "a logit differs by 0.002"),
        ([[0.7, -1.0]], "fp16", "a logit differs by 0.2"),
        ([[0.5, 0.0]], "int8", "a probability differs by 0.231"),
        ([[-0.5, 1.0]], "int8", "a probability differs"),
        ([[0.5, np.nan]], "int8", "not finite"),
        ([[0.5, np.inf]], "fp32", "not finite"),
        ([[0.5]], "fp32", r"\(1, 1\) logits, not \(1, 2\)"),
        ([[-1.0, 0.5]], "fp32", "a logit differs"),
    ],
)
def test_a_wrong_answer_is_refused_by_name(answer: list, precision: str, message: str) -> None:
    with pytest.raises(EngineError, match=rf"function 1 .* answers wrongly on m\.onnx: .*{message}"):
        check(np.array(answer), precision)


def test_decisions_that_do_not_follow_from_the_thresholds_are_refused() -> None:
    with pytest.raises(EngineError, match="1 decisions differ"):
        check(np.array([[0.5, -1.0]]), "fp32", np.array([[True, True]]))


def test_a_decision_at_its_threshold_may_fall_either_way() -> None:
    check(np.array([[-1e-4, -1.0]]), "fp32", golden_logits=(1e-4, -1.0))


def test_golden_answers_survive_the_file_and_give_the_same_bytes(tmp_path: Path) -> None:
    answer = Answer(np.ones((2, 3), np.float32), np.ones((2, 3), bool))
    golden = Golden(np.zeros((2, 8, 8, 3), np.uint8), {"a/b.onnx": answer})
    for name in ("one.npz", "two.npz"):
        write_golden(tmp_path / name, golden)
    again = read_golden(tmp_path / "one.npz")
    np.testing.assert_array_equal(again.answers["a/b.onnx"].logits, answer.logits)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


NO_ANSWERS = {
    "text": (np.array([["a", "b"]]), np.array([[True, False]]), "are <U1"),
    "numbers as decisions": (np.zeros((1, 2), np.float32), np.zeros((1, 2)), "and float64"),
    "more decisions than logits": (
        np.zeros((1, 2), np.float32),
        np.zeros((1, 5), bool),
        r"and bool \(1, 5\)",
    ),
    "NaN": (np.full((1, 2), np.nan, np.float32), np.zeros((1, 2), bool), "not finite"),
    "none": (np.zeros((0, 2), np.float32), np.zeros((0, 2), bool), "there is no crop"),
}


@pytest.mark.parametrize(("logits", "decisions", "words"), NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_answers_that_nothing_can_be_compared_with_are_refused(
    tmp_path: Path, logits: np.ndarray, decisions: np.ndarray, words: str
) -> None:
    crops = np.zeros((len(logits), 4, 4, 3), np.uint8)
    np.savez(tmp_path / "g.npz", **{"crops": crops, "logits/a": logits, "decisions/a": decisions})
    with pytest.raises(BundleError, match=f"holds no golden answers .*{words}"):
        read_golden(tmp_path / "g.npz")


def test_a_file_without_golden_answers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "junk.npz").write_bytes(b"junk")
    np.savez(tmp_path / "other.npz", a=1)
    np.savez(tmp_path / "pickle.npz", crops=np.array([{}], object))
    for name in ("junk.npz", "other.npz", "pickle.npz"):
        with pytest.raises(BundleError, match="holds no golden answers"):
            read_golden(tmp_path / name)


class Engines:
    """Counts openings and golden checks, and makes the engine of some files answer wrongly or be missing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[str] = []
        self.checks: list[str] = []
        self.spoil: dict[str, Callable[[np.ndarray], np.ndarray] | Exception] = {}
        monkeypatch.setattr(verification, "open_session", self)
        monkeypatch.setattr(measuring, "thread_counts", lambda: (1,))

    def __call__(self, runtime: str, file: Path, **options) -> FunctionSession:
        self.opened.append(file.name)
        spoil = self.spoil.get(file.name, lambda logits: logits)
        if isinstance(spoil, Exception):
            raise spoil
        session = open_session(runtime, file, **options)

        def run(batch: np.ndarray) -> np.ndarray:
            if len(batch) > 1:  # one crop is timed, all golden ones are checked
                self.checks.append(file.name)
            return spoil(session.run(batch))

        return FunctionSession(run)


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engines:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Engines(monkeypatch)


@pytest.fixture
def two(make_bundle):
    return load_bundle(make_bundle(files={"fast.onnx": None, "safe.onnx": None}))


def test_a_wrong_engine_is_refused_aloud_and_the_next_one_is_used(
    two, engines: Engines, caplog: pytest.LogCaptureFixture
) -> None:
    engines.spoil["fast.onnx"] = lambda logits: logits + 0.5
    for _ in range(2):  # at every start
        caplog.clear()
        assert select_artifact(two).artifact.file == "safe.onnx"
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert record.message.startswith("fast.onnx is not used: function 1")
        assert "a logit differs by 0.5" in record.message


def test_an_engine_that_stops_working_later_is_passed_over_aloud(two, engines: Engines, caplog) -> None:
    first = select_artifact(two).artifact.file
    (second,) = {"fast.onnx", "safe.onnx"} - {first}
    engines.spoil[first] = EngineError("no memory")
    assert select_artifact(two).artifact.file == second
    assert f"{first} is not used: no memory; trying {second}" in caplog.text


def test_a_missing_engine_is_passed_over_aloud(two, engines: Engines, caplog) -> None:
    engines.spoil["fast.onnx"] = DependencyError("it is not installed")
    assert select_artifact(two).artifact.file == "safe.onnx"
    assert "fast.onnx is not used: it is not installed" in caplog.text


def test_an_engine_that_nobody_installed_is_no_warning(two, engines: Engines, caplog, monkeypatch) -> None:
    engines.spoil["fast.onnx"] = DependencyError("it is not installed")
    monkeypatch.setattr(Runtime, "is_installed", False)
    with caplog.at_level(logging.INFO):
        assert select_artifact(two).artifact.file == "safe.onnx"
    assert [r.levelname for r in caplog.records if "it is not installed" in r.message] == ["INFO"]


def test_what_is_missing_for_several_is_said_once(make_bundle, engines: Engines, caplog) -> None:
    bundle = load_bundle(make_bundle(files={"a.onnx": None, "b.onnx": None, "c.onnx": None}))
    for name in ("a.onnx", "b.onnx"):
        engines.spoil[name] = DependencyError("it is not installed")
    assert select_artifact(bundle).artifact.file == "c.onnx"
    assert [r.message for r in caplog.records if r.levelno == logging.WARNING] == [
        "a.onnx, b.onnx are not used: it is not installed"
    ]


def test_when_none_is_right_every_reason_is_said(two, engines: Engines) -> None:
    engines.spoil.update({"fast.onnx": lambda logits: -logits, "safe.onnx": EngineError("no memory")})
    with pytest.raises(
        EngineError, match=r"no artifact .* fast\.onnx: .*answers wrongly.*; safe\.onnx: no memory"
    ):
        select_artifact(two)


def test_an_engine_asked_for_by_name_is_not_replaced(two, engines: Engines) -> None:
    engines.spoil["fast.onnx"] = DependencyError("it is not installed")
    with pytest.raises(DependencyError, match="not installed"):
        select_artifact(two, "fast.onnx")
    assert set(engines.opened) == {"fast.onnx"}


def test_a_right_engine_is_remembered_and_a_wrong_one_never(
    two, engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    select_artifact(two, threads=1)
    select_artifact(two, threads=1)
    select_artifact(two, "fast.onnx", threads=1)
    assert engines.checks == ["fast.onnx", "safe.onnx"]
    engines.spoil["safe.onnx"] = lambda logits: -logits
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another cache"))
    for _ in range(2):
        with pytest.raises(EngineError, match="answers wrongly"):
            select_artifact(two, "safe.onnx", threads=1)
    assert engines.checks.count("safe.onnx") == 3


def test_another_bundle_processor_or_version_is_verified_again(
    make_bundle, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeau.bundle import verification

    one = load_bundle(make_bundle(files={"fast.onnx": None}))
    select_artifact(one, threads=1)
    other = load_bundle(make_bundle("other", target="other", files={"fast.onnx": None}))
    select_artifact(other, threads=1)
    assert len(engines.checks) == 2
    monkeypatch.setattr(verification, "processor_identity", lambda: "another processor")
    select_artifact(one, threads=1)
    assert len(engines.checks) == 3


@pytest.mark.parametrize("cache", ["a file", "relative"])
def test_a_cache_that_cannot_be_used_is_not_fatal(
    two, engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: str
) -> None:
    (tmp_path / "taken").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "taken") if cache == "a file" else "relative")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "taken")
    for _ in range(2):
        select_artifact(two, "fast.onnx", threads=1)
    assert len(engines.checks) == 2
    select_artifact(two)


def test_a_refused_session_is_closed(two, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, closed = [], []

    class Wrong(FunctionSession):
        def close(self) -> None:
            closed.append(self)

    def open_wrong(*_, **__) -> Wrong:
        opened.append(Wrong(lambda batch: np.zeros((len(batch), 18))))
        return opened[-1]

    monkeypatch.setattr(verification, "open_session", open_wrong)
    with pytest.raises(EngineError):
        select_artifact(two)
    assert closed == opened
    assert len(opened) >= 2


def test_the_detector_decides_at_the_artifacts_thresholds(bundle_path: Path, crops: np.ndarray) -> None:
    with AUDetector.load(bundle_path, threads=1) as detector:
        found = detector.detect(crops)
    golden = read_golden(bundle_path / "golden.npz")
    np.testing.assert_allclose(found.logits, golden.answers["model.onnx"].logits, atol=1e-5)
    np.testing.assert_array_equal(found.decisions, golden.answers["model.onnx"].decisions)
    assert 0 < found.decisions.mean() < 1
