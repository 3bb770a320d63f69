"""Memory and bookkeeping over a thousand scans: resident memory along the way, 3 bad scans of 1000, a second run.

    python lab/benchmarks/many_scans.py [SCANS]

Writes SCANS tiny CTs (2 x 16 x 16) of which three are damaged, segments the folder twice in this process with a tiny
network, and prints resident memory at a tenth, half and all of the scans. Exits 1 unless all but three masks are there,
failures.csv has three rows, the exit code is 3, the second run segments nothing, and memory grew by less than 5 %.
"""

from __future__ import annotations

import contextlib
import csv
import gc
import io
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from rmaunet.cli.main import main as rmaunet
from rmaunet.cohort import batch as module
from rmaunet.core.volume import make_volume
from rmaunet.io import write_volume
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, save_weights
from rmaunet.preprocess import Preprocessing


def resident_mb() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def write(root: Path, scans: int) -> None:
    """The scans, three of them damaged, and a network."""
    torch.manual_seed(0)
    settings = NetworkSettings(base=1)
    save_weights(root / "w", build_network(settings), ModelCard("t", settings, Preprocessing(size=16)))
    rng = np.random.default_rng(0)
    (root / "scans").mkdir()
    for number in range(scans):
        array = rng.integers(-1000, 300, (2, 16, 16)).astype(np.int16)
        write_volume(make_volume(array), root / "scans" / f"s{number:04d}.nii")
    names = sorted((root / "scans").iterdir())
    names[scans // 5].write_bytes(b"no scan")
    names[scans // 2].write_bytes(names[0].read_bytes()[:-9])
    names[-1].write_bytes(b"")


def main(scans: int) -> int:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write(root, scans)
        seen: dict[int, float] = {}
        one, count = module._one, 0

        def counted(*args: object) -> None:
            nonlocal count
            one(*args)
            count += 1
            if count in (scans // 10, scans // 2, scans):
                gc.collect()
                seen[count] = resident_mb()

        module._one = counted
        words = ["segment", "-i", str(root / "scans"), "-o", str(root / "out"), "-w", str(root / "w"), "--no-overlay"]
        codes, seconds = [], []
        for _ in range(2):
            began, said = time.perf_counter(), io.StringIO()
            with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
                codes.append(rmaunet(words))
            seconds.append(time.perf_counter() - began)
        masks = len(list((root / "out").glob("*_seg.nii.gz")))
        with (root / "out" / "failures.csv").open() as file:
            failures = list(csv.DictReader(file))
        with (root / "out" / "cohort.csv").open() as file:
            rows = len(list(csv.DictReader(file)))
    grown = seen[scans] / seen[scans // 10] - 1
    for number, megabytes in seen.items():
        print(f"resident memory after {number:4d} scans: {megabytes:.1f} MB")
    print(f"{masks} masks, {rows} rows in cohort.csv, {len(failures)} in failures.csv, exit codes {codes}")
    print(f"first run {seconds[0]:.0f} s, second run {seconds[1]:.0f} s and {count - scans} scans tried again")
    right = (
        masks == rows == scans - 3 and len(failures) == 3 and codes == [3, 3] and count == scans + 3 and grown < 0.05
    )
    print(f"memory grew by {100 * grown:.1f} %: {'ok' if right else 'NOT as it should be'}")
    return int(not right)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
