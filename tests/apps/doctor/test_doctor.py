"""The doctor on described machines and on this one.

The described machines are written from what is known of the boards and their systems; none was recorded on hardware.
"""

import io
import json
import os
import resource
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from edgeau._system.records import from_dict
from edgeau.bundle import packaged_bundle_path
from edgeau_apps.doctor import probe
from edgeau_apps.doctor.checks import examine
from edgeau_apps.doctor.command import main
from edgeau_apps.doctor.compatibility import install_line, jetpack_of
from edgeau_apps.doctor.finding import Finding
from edgeau_apps.doctor.machine import MachineDescription, numbers
from edgeau_apps.doctor.probe import this_machine
from edgeau_apps.doctor.trials import try_machine

MACHINES = Path(__file__).parent / "machines"


def machine(name):
    return from_dict(MachineDescription, json.loads((MACHINES / f"{name}.json").read_text()), name)


def bad(name):
    return {(f.level, f.subject): f for f in examine(machine(name)) if f.level in ("warning", "problem")}


# machine -> exit code, what must be found, a piece of what to do
TABLE = [
    ("pi4-bookworm", 1, [("warning", "browser view", "edgeau[web]")]),
    (
        "pi4-32bit",
        2,
        [
            ("problem", "32-bit system", "64-bit image"),
            ("problem", "engine", "64-bit"),
            ("problem", "landmarks", "64-bit"),
            ("warning", "environment", "--system-site-packages"),
            ("warning", "browser view", "edgeau[web]"),
        ],
    ),
    (
        "pi5-trixie",
        2,
        [
            ("problem", "landmarks", "ai-edge-litert==2.3.0"),
            ("warning", "environment", "--system-site-packages"),
            ("warning", "browser view", "edgeau[web]"),
        ],
    ),
    (
        "orin-jetpack5",
        2,
        [
            ("problem", "Python", "JetPack 6"),
            ("problem", "engine", "onnxruntime==1.19.2"),
            ("problem", "landmarks", "64-bit system"),
            ("warning", "TensorRT", "python3-libnvinfer"),
            ("warning", "environment", "--system-site-packages"),
            ("warning", "browser view", "edgeau[web]"),
        ],
    ),
    ("orin-jetpack6", 1, [("warning", "CUDA", "cuda-python==12.*")]),
    ("orin-jetpack7", 0, []),
    ("laptop", 1, [("warning", "OpenCV", "pip uninstall -y opencv-python opencv-python-headless")]),
]


@pytest.mark.parametrize(("name", "code", "expected"), TABLE)
def test_described_machines(name, code, expected, capsys):
    assert main(["--machine", str(MACHINES / f"{name}.json")]) == code
    out = capsys.readouterr().out
    found = bad(name)
    assert set(found) == {(level, subject) for level, subject, _ in expected}
    for level, subject, fix in expected:
        assert fix in found[level, subject].fix
        assert found[level, subject].fix in out


@pytest.mark.parametrize(
    ("name", "dot"),
    [("pi4-bookworm", False), ("pi5-trixie", True), ("orin-jetpack6", True), ("laptop", True)],
)
def test_int8_is_promised_only_where_the_processor_has_a_dot_product(name, dot):
    (finding,) = [f for f in examine(machine(name)) if f.subject == "processor"]
    assert ("can be faster" in finding.says) is dot


@pytest.mark.parametrize(
    ("name", "target"),
    [("orin-jetpack5", "jetson-jp5"), ("orin-jetpack6", "jetson-orin"), ("orin-jetpack7", "jetson-jp7")],
)
def test_jetpacks_are_told_by_their_release_and_named_targets_exist(name, target):
    from edgeau_export.targets.target import load_target

    jetpack = jetpack_of(machine(name))
    assert jetpack is not None
    assert load_target(jetpack.target).name == target


def test_install_lines_are_those_that_exist():
    pi = machine("pi4-bookworm")
    assert install_line("mediapipe", pi) == "pip install 'mediapipe==0.10.18'"
    assert install_line("tflite-runtime", replace(pi, python="3.12.1")) is None
    assert install_line("tflite-runtime", replace(pi, glibc="2.31")) is None
    assert install_line("onnxruntime", replace(pi, python="3.10.4")) == "pip install 'onnxruntime==1.23.2'"
    assert install_line("onnxruntime", replace(pi, system="Darwin")) is None


def test_numpy_2_is_refused_where_it_breaks_something():
    pi = machine("pi4-bookworm")
    with_old = replace(pi, packages={**pi.packages, "numpy": "2.2.6", "tflite-runtime": "2.14.0"})
    (finding,) = [f for f in examine(with_old) if f.subject == "numpy"]
    assert (finding.level, "numpy<2" in finding.fix) == ("problem", True)
    system = replace(pi, packages={**pi.packages, "numpy": "2.2.6"})
    (finding,) = [f for f in examine(system) if f.subject == "numpy"]
    assert finding.level == "warning"


def test_a_broken_package_is_named_and_counts_as_missing():
    pi = machine("pi4-bookworm")
    broken = replace(
        pi, broken={"onnxruntime": "ImportError: libgomp", "ai-edge-litert": "Illegal instruction"}
    )
    problems = [f for f in examine(broken) if f.level == "problem"]
    assert [f.subject for f in problems] == ["onnxruntime", "ai-edge-litert", "engine"]
    assert "libgomp" in problems[0].says


@pytest.mark.parametrize(
    ("change", "level", "says"),
    [
        ({}, "good", "models.whl, in LiteRT"),
        ({"landmark_models_fault": "models.whl does not exist"}, "problem", "does not exist"),
        ({"packages": {"edgeau": "0.1.0"}}, "problem", "LiteRT, which is not installed"),
        ({"landmark_models": "", "landmarks_in_bundle": True}, "good", "the bundle brings its networks"),
    ],
)
def test_landmark_models_that_are_named_replace_mediapipe(change, level, says):
    pi = replace(machine("pi4-bookworm"), packages={"ai-edge-litert": "2.3.0"}, landmark_models="models.whl")
    (finding,) = [f for f in examine(replace(pi, **change)) if f.subject == "landmarks"]
    assert (finding.level, says in finding.says) == (level, True)


def test_named_landmark_models_are_really_read(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEAU_LANDMARK_MODELS", str(tmp_path / "no.whl"))
    assert "does not exist" in this_machine(imports=False).landmark_models_fault
    monkeypatch.delenv("EDGEAU_LANDMARK_MODELS")
    assert this_machine(imports=False).landmark_models_fault == ""


def test_it_runs_where_opencv_and_numpy_cannot_be_imported(tmp_path):
    """As on a server without libGL: the doctor is the one program that must still start."""
    for name in ("cv2", "numpy"):
        (tmp_path / f"{name}.py").write_text(
            "raise ImportError('libGL.so.1: cannot open shared object file')"
        )
    code = "import sys; from edgeau_apps.doctor.command import main; sys.exit(main([]))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "libGL.so.1" in done.stdout
    assert done.stderr == ""


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The doctor on this machine: exit code, document, seconds of processor time of its trials."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shown = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(shown):
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        code = main(["--json"])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (
        code,
        json.loads(shown.getvalue()),
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    )


def test_this_machine_really(here):
    """What is examined is what runs: versions as the packages say them, exit code as the worst finding."""
    import numpy as np
    import onnxruntime

    code, document, _ = here
    machine = document["machine"]
    assert machine["packages"]["numpy"] == np.__version__
    assert machine["packages"]["onnxruntime"] == onnxruntime.__version__
    assert machine["python"] == ".".join(map(str, sys.version_info[:3]))
    assert not machine["broken"]
    assert code == {"good": 0, "note": 0, "warning": 1, "problem": 2}[document["worst"]]
    assert machine["memory_bytes"] > 1e9


def test_json_of_one_machine_can_be_examined_on_another(tmp_path, capsys):
    main(["--machine", str(MACHINES / "laptop.json"), "--json"])
    sent = tmp_path / "sent.json"
    sent.write_text(capsys.readouterr().out)
    assert main(["--machine", str(sent)]) == 1
    assert "ThinkPad" in capsys.readouterr().out


def test_an_import_that_fails_says_why():
    from edgeau_apps.doctor.probe import _import_fault

    assert _import_fault("json", 60) == ""
    assert "ModuleNotFoundError" in _import_fault("no_such_module", 60)
    assert this_machine(imports=False).broken == {}


def test_of_several_modules_the_one_that_cannot_be_imported_is_named():
    from edgeau_apps.doctor.probe import _import_faults

    assert _import_faults([], 60) == {}
    assert _import_faults(["json", "csv"], 60) == {"json": "", "csv": ""}
    faults = _import_faults(["json", "no_such_module", "csv"], 60)
    assert faults["json"] == faults["csv"] == ""
    assert "no_such_module" in faults["no_such_module"]


def test_a_python_that_cannot_start_itself_is_told(monkeypatch):
    """One that is built into another program, for example."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    fault = this_machine().broken["numpy"]
    assert fault == "could not be tried: /nowhere/python does not start (No such file or directory)"


@pytest.mark.parametrize("content", [None, "{", "[]", '{"board": 3}'])
def test_a_file_that_describes_no_machine(tmp_path, content, capsys):
    file = tmp_path / "machine.json"
    if content is not None:
        file.write_text(content)
    assert main(["--machine", str(file)]) == 2
    error = capsys.readouterr().err
    assert "bundle" not in error  # the advice of another kind of file
    assert "machine.json" in error
    assert error.count("\n") == 1


def test_a_machine_with_a_python_of_no_version_is_one_line(tmp_path, capsys):
    given = next(Path(__file__).with_name("machines").glob("*.json"))
    file = tmp_path / "machine.json"
    file.write_text(json.dumps({**json.loads(given.read_text()), "python": "three"}))
    assert main(["--machine", str(file)]) == 2
    error = capsys.readouterr().err
    assert "expected a version such as 3.11.2, got 'three'" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("others", [["--json"], ["--machine", "machine.json"]])
def test_a_bill_of_materials_is_all_that_is_written(tmp_path, others, capsys):
    assert main(["--sbom", str(tmp_path / "bom.json"), *others]) == 2
    assert f"leave out {others[0]}" in capsys.readouterr().err
    assert not (tmp_path / "bom.json").exists()


def test_an_import_takes_nothing_from_the_folder_that_the_doctor_runs_in(tmp_path, monkeypatch):
    (tmp_path / "colorsys.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(tmp_path)
    assert probe._import_fault("colorsys", 60.0) == ""


def test_versions_and_levels():
    assert numbers("0.10.21rc1") == (0, 10, 21)
    assert numbers("4.11.0.86") == (4, 11, 0, 86)
    with pytest.raises(ValueError, match="what to do"):
        Finding("problem", "a", "b")
    with pytest.raises(ValueError, match="level"):
        Finding("fatal", "a", "b")


def test_what_reports_usage_is_named():
    pi = machine("pi4-bookworm")
    told = replace(pi, packages={**pi.packages, "mediapipe": "1.2.3", "onnxruntime": "1.31.1"})
    found = {f.level: f for f in examine(told) if f.subject == "telemetry"}
    assert "edgeau never imports it" in found["warning"].says
    assert "ORT_DISABLE_TELEMETRY=1" in found["note"].says
    rebuilt = replace(pi, packages={"onnxruntime-openvino": "1.30.0"})
    (finding,) = [f for f in examine(rebuilt) if f.subject == "telemetry"]
    assert "onnxruntime-openvino 1.30.0 reports usage" in finding.says
    assert [f for f in examine(pi) if f.subject == "telemetry" and "mediapipe" in f.says] == []


def tried(bundle, **change):
    """Findings of trials, by what was tried."""
    return [
        f for f in try_machine(replace(this_machine(imports=False), **change), bundle) if "tried" in f.subject
    ]


def test_it_finds_a_face_runs_golden_answers_and_times_a_frame(here):
    code, document, processor_s = here
    found = document["findings"]
    # Under 10 s on two processors that nothing else uses; here others may, so that the processors' time is what counts.
    assert processor_s < 20
    says = [f["says"] for f in found if f["subject"].endswith("tried")]
    assert code in (0, 1)
    assert sum("finds the face of the packaged clip" in line for line in says) == 2
    assert sum("gives its golden answers" in line for line in says) >= 3
    if find_spec("openvino") is not None:  # opens the ONNX files of a bundle that has none for it
        for name in ("openvino/fp32", "openvino/int8"):
            assert any(line.startswith(f"{name} gives its golden answers in") for line in says), says
    assert "from picture to action units" in says[-1]


def test_a_damaged_artifact_is_named_with_its_cause(tmp_path):
    bundle = tmp_path / "b"
    shutil.copytree(packaged_bundle_path(), bundle)
    file = bundle / "model.int8.tflite"
    file.write_bytes(b"x" + file.read_bytes()[1:])
    (finding,) = try_machine(this_machine(imports=False), bundle)
    assert (finding.level, finding.subject) == ("problem", "bundle")
    assert "model.int8.tflite has changed since it was made" in finding.says


def test_a_bundle_that_is_none_is_one_finding(tmp_path):
    (finding,) = try_machine(this_machine(imports=False), tmp_path)
    assert (finding.level, finding.subject) == ("problem", "bundle")


def test_without_opencv_nothing_is_tried():
    assert tried(None, packages={"numpy": "1.26.4"}) == []


def test_an_engine_that_fails_is_named_beside_those_that_work(tmp_path, monkeypatch):
    """A stand-in of LiteRT that cannot be imported; ONNX Runtime beside it is the real one."""
    package = tmp_path / "ai_edge_litert"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('libgomp.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(str(tmp_path))
    failed = {f.subject: f for f in tried(None) if f.level != "good"}
    assert {name: f.level for name, f in failed.items()} == {
        "landmarker tried": "warning",
        "artifact tried": "warning",
        "frame tried": "problem",
    }
    assert all("libgomp.so.1" in f.says for f in failed.values()), failed


def test_a_trial_that_did_not_end_in_time_is_not_called_a_fault():
    found = list(try_machine(this_machine(imports=False), None, time_limit=0.01))
    assert {f.level for f in found} == {"warning"}
    assert {f.subject for f in found} == {"landmarker tried", "artifact tried", "frame tried"}
    for finding in found:
        assert "not finished after 0.01 seconds, so it is not known whether it works" in finding.says
        assert "--time-limit" in finding.fix


def test_an_import_that_did_not_end_in_time_is_not_called_broken():
    slow = this_machine(time_limit=1e-9)  # is over before the first look at the import
    assert slow.broken == {}
    assert slow.unfinished["numpy"] == "1e-09 seconds"
    found = {f.subject: f for f in examine(slow) if f.subject in ("numpy", "onnxruntime")}
    assert found["onnxruntime"].level == "warning"
    assert "not known whether it works" in found["onnxruntime"].says


@pytest.mark.parametrize("given", ["0", "-1", "x", "nan"])
def test_a_time_limit_is_a_number_of_seconds(given, capsys):
    assert main(["--time-limit", given]) == 2
    assert "must be a number of seconds above 0" in capsys.readouterr().err
