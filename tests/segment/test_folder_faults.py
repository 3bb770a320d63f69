"""A folder of scans survives being killed, a full disk, and a second run beside it."""

import csv
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, save_weights
from rmaunet.preprocess import Preprocessing

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("world")
    torch.manual_seed(1)
    settings = NetworkSettings(base=2)
    card = ModelCard(name="t", network=settings, preprocessing=Preprocessing(size=32))
    save_weights(root / "weights", build_network(settings), card)
    (root / "scans").mkdir()
    rng = np.random.default_rng(0)
    for n in range(6):
        array = rng.integers(-1000, 300, (32, 32, 12)).astype(np.int16)
        nib.save(nib.Nifti1Image(array, np.diag([2.0, 2, 3, 1])), root / "scans" / f"s{n}.nii.gz")
    (root / "scans" / "bad.nii.gz").write_bytes(b"no scan")
    return root


def command(world, out):
    return [sys.executable, "-c", "from rmaunet.cli.main import run; run()", "segment", "-i", str(world / "scans"),
            "-o", str(out), "-w", str(world / "weights"), "--no-overlay"]  # fmt: skip


def tree(folder: Path):
    """Masks by content, and what the tables say apart from times."""
    masks = {p.name: np.asarray(nib.load(p).dataobj).tobytes() for p in folder.glob("*.nii.gz")}
    with (folder / "cohort.csv").open() as file:
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]
    names = sorted(p.name for p in folder.iterdir())
    return names, masks, rows, (folder / "failures.csv").read_text()


def test_kill_at_random_moments_then_a_second_run_equals_an_undisturbed_one(world, tmp_path):
    clean = tmp_path / "clean"
    began = time.monotonic()
    assert subprocess.run(command(world, clean), env=ENVIRONMENT, capture_output=True, check=False).returncode == 3
    whole = time.monotonic() - began
    rng = random.Random(0)
    broken = tmp_path / "broken"
    for _ in range(4):
        process = subprocess.Popen(
            command(world, broken), env=ENVIRONMENT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        time.sleep(whole * rng.uniform(0.5, 0.95))
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = subprocess.run(command(world, broken), env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert tree(broken) == tree(clean)


def test_a_full_disk_ends_with_exit_4_and_no_file_under_a_final_name(world, tmp_path):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (256, 256))

    done = subprocess.run(
        command(world, tmp_path / "o"), env=ENVIRONMENT, capture_output=True, text=True, preexec_fn=limit, check=False
    )
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert not list((tmp_path / "o").glob("*_seg.nii.gz"))
    assert not list((tmp_path / "o").glob(".partial-*"))


def test_two_runs_never_share_a_folder(world, tmp_path):
    out = tmp_path / "o"
    out.mkdir()
    (out / "run.lock").write_text(json.dumps({"pid": 1, "host": "elsewhere"}))
    done = subprocess.run(command(world, out), env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "process 1 on elsewhere" in done.stderr


def test_segment_opens_no_connection(world, tmp_path):
    code = "import socket\ndef no(*a, **k): raise SystemExit('a socket was opened')\nsocket.socket.connect = no\n"
    code += "socket.socket.bind = no\nsocket.getaddrinfo = no\nfrom rmaunet.cli.main import run; run()"
    words = command(world, tmp_path / "o")
    words[2] = code
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "a socket was opened" not in done.stderr
    assert len(list((tmp_path / "o").glob("*_seg.nii.gz"))) == 6
