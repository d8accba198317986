"""Many inputs on a cluster of two nodes: the same rows as one process, and a killed worker's input is done again."""

import json
import os
import signal
import threading
import time

import cv2
import numpy as np
import psutil
import pytest
import skimage.data

from edgeau_apps.analyze.command import main

pytest.importorskip("ray", reason="ray is not installed")

# One engine for every run: where two are about as fast, a second measurement may choose the other one.
SAME = ("--threads", "1", "--artifact", "litert/int8")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    face = skimage.data.astronaut()[:, :, ::-1]
    for number in range(6):
        cv2.imwrite(str(folder / f"face{number}.png"), np.ascontiguousarray(face[4 * number :]))
    return folder


@pytest.fixture(scope="module")
def cluster():
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    nodes.add_node(num_cpus=1)
    yield nodes
    nodes.shutdown()


def tables(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def alone(pictures, tmp_path_factory):
    out = tmp_path_factory.mktemp("alone")
    assert main([str(pictures), "--out", str(out), *SAME]) == 0
    return tables(out)


def test_two_nodes_give_the_rows_of_one_process(pictures, alone, cluster, tmp_path, capsys):
    arguments = [str(pictures), "--out", str(tmp_path), *SAME, "--ray", cluster.address, "--json"]
    assert main(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["status"] for one in document["inputs"]] == ["done"] * 6
    assert [one["input"] for one in document["inputs"]] == sorted(one["input"] for one in document["inputs"])
    assert tables(tmp_path) == alone


def _kill_one_worker(killed):
    """Kill the first worker that is at work."""
    end = time.monotonic() + 120
    while time.monotonic() < end and not killed:
        for process in psutil.process_iter(["name", "cmdline"]):
            line = " ".join(process.info["cmdline"] or [])
            if line.startswith("ray::_guarded"):
                os.kill(process.pid, signal.SIGKILL)
                killed.append(process.pid)
                return
        time.sleep(0.02)


def test_the_input_of_a_killed_worker_is_done_again(pictures, alone, cluster, tmp_path):
    killed = []
    killer = threading.Thread(target=_kill_one_worker, args=(killed,))
    killer.start()
    assert main([str(pictures), "--out", str(tmp_path), *SAME, "--ray", cluster.address]) == 0
    killer.join()
    assert killed
    assert tables(tmp_path) == alone


def test_status_and_resume(pictures, alone, tmp_path, capsys):
    first = sorted(pictures.iterdir())[:2]
    assert main([*map(str, first), "--out", str(tmp_path), *SAME]) == 0
    capsys.readouterr()
    assert main([str(pictures), "--out", str(tmp_path), *SAME, "--status", "--json"]) == 1
    state = json.loads(capsys.readouterr().out)
    assert (len(state["done"]), len(state["left"])) == (2, 4)
    before = (tmp_path / "face0.csv").stat().st_mtime_ns
    assert main([str(pictures), "--out", str(tmp_path), *SAME, "--resume"]) == 0
    assert (tmp_path / "face0.csv").stat().st_mtime_ns == before
    assert tables(tmp_path) == alone
    capsys.readouterr()
    assert main([str(pictures), "--out", str(tmp_path), *SAME, "--status"]) == 0
    assert capsys.readouterr().out.strip() == "6 of 6 inputs are done, 0 are left"


def test_no_cluster_at_the_address(pictures, tmp_path, capsys):
    assert main([str(pictures), "--out", str(tmp_path), "--ray", "127.0.0.1:1"]) == 2
    error = capsys.readouterr().err
    assert "127.0.0.1:1" in error
    assert "ray start" in error
    assert not list(tmp_path.iterdir())
