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
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from rmaunet.core.files import sha256
from rmaunet.core.runs import locked
from rmaunet.io import read_mask
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
    for n in range(3):
        array = rng.integers(-1000, 300, (32, 32, 12)).astype(np.int16)
        nib.save(nib.Nifti1Image(array, np.diag([2.0, 2, 3, 1])), root / "scans" / f"s{n}.nii.gz")
    (root / "scans" / "bad.nii.gz").write_bytes(b"no scan")
    return root


def command(world, out, *more):
    return [sys.executable, "-c", "from rmaunet.cli.main import run; run()", "segment", "-i", str(world / "scans"),
            "-o", str(out), "-w", str(world / "weights"), "--no-overlay", *more]  # fmt: skip


def tree(folder: Path):
    """Masks by content, and what the tables say apart from times."""
    masks = {p.name: read_mask(p).array.tobytes() for p in folder.glob("*_seg.*")}
    with (folder / "cohort.csv").open() as file:
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]
    names = sorted(p.name for p in folder.iterdir())
    return names, masks, rows, (folder / "failures.csv").read_text()


def read_back(folder: Path) -> int:
    """Read every file that stands under a final name; a manifest's files must be there as it tells them."""
    count = 0
    for path in folder.iterdir() if folder.exists() else ():
        if path.name.startswith(".partial-") or path.name == "run.lock":
            continue
        count += 1
        if "_seg." in path.name:
            assert read_mask(path).spatial_shape == (12, 32, 32)  # a cut or damaged file raises
        elif path.suffix == ".json":
            for name, digest in json.loads(path.read_text())["outputs"].items():
                assert sha256(folder / name) == digest
        else:
            assert path.name in ("cohort.csv", "failures.csv")
            assert path.read_text().endswith("\n")
    return count


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """What a process has computed so far: its age by a clock that other processes do not disturb."""
    words = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def killed(words: list[str], due: Callable[[subprocess.Popen[bytes]], bool]) -> bool:
    """Run a command and kill it when it is due; False if it ended before."""
    process = subprocess.Popen(words, env=ENVIRONMENT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        if due(process):
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.002)
    return process.wait() == -signal.SIGKILL


def at_age(seconds: float) -> Callable[[subprocess.Popen[bytes]], bool]:
    return lambda process: cpu_seconds(process) >= seconds


def at_new_files(folder: Path, count: int) -> Callable[[subprocess.Popen[bytes]], bool]:
    """When so many masks more stand there than now: most of a short run's life is its start, and little would be seen of
    what lies between two results."""

    def masks() -> int:
        return len(list(folder.glob("*_seg.*")))

    wanted = masks() + count
    return lambda _: masks() >= wanted


def finish(words: list[str]) -> None:
    """Run a command to its end; of the scans, one is bad."""
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr


@pytest.mark.timeout(2400)
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the age of a process is read from /proc")
def test_twenty_kills_at_random_moments_then_a_second_run_equals_an_undisturbed_one(world, tmp_path):
    clean, formats = tmp_path / "clean", ("--format", "nifti", "nrrd")
    finish(command(world, tmp_path / "first", *formats))  # converts the network, which no later run does
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    finish(command(world, clean, *formats))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    life = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    undisturbed = tree(clean)
    rng = random.Random(20)
    kills, found = 0, set()
    for number in range(80):  # a moment behind the end of a run that found little left to do is drawn again
        broken = tmp_path / f"broken{number // 5}"
        words = command(world, broken, *formats)
        due = at_age(life * rng.random()) if number % 2 else at_new_files(broken, rng.randint(1, 2))
        kills += killed(words, due)
        found.add(read_back(broken))
        if number % 5 == 4 or kills == 20:
            finish(words)
            assert tree(broken) == undisturbed
        if kills == 20:
            break
    assert kills == 20
    assert len(found) > 2  # they fell before the first result, between results and after them


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
    with locked(out):
        done = subprocess.run(command(world, out), env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "another run uses this folder" in done.stderr


def test_segment_opens_no_connection(world, tmp_path):
    code = "import socket\ndef no(*a, **k): raise SystemExit('a socket was opened')\nsocket.socket.connect = no\n"
    code += "socket.socket.bind = no\nsocket.getaddrinfo = no\nfrom rmaunet.cli.main import run; run()"
    words = command(world, tmp_path / "o")
    words[2] = code
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "a socket was opened" not in done.stderr
    assert len(list((tmp_path / "o").glob("*_seg.nii.gz"))) == 3
