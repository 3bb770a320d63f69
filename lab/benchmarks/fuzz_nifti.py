"""Byte flips: whatever happens to a file, the reader returns an image or raises RmaunetError, quickly, in little memory.

A flip outside of a gzip that is read all the same must have changed no voxel. Run: python lab/benchmarks/fuzz_nifti.py --count
10000 --seed 0 --record lab/results/fuzz/files.json; lab/scripts/make_inputs_doc.py puts what is recorded into
lab/logs/inputs.md.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import logging
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from rmaunet.core.errors import RmaunetError
from rmaunet.core.files import write_json
from rmaunet.core.machine import machine
from rmaunet.core.volume import make_volume
from rmaunet.io import GridSource, Scan, read_mask, read_scan, write_mask, write_volume

SECONDS = 2.0
MEGABYTES = 512


def samples(folder: Path) -> dict[str, bytes]:
    """Small valid files of every format, by name."""
    rng = np.random.default_rng(5)
    array = rng.integers(-1000, 500, (6, 10, 12)).astype(np.int16)
    ct = make_volume(array, np.array([[0, 0, 0.8, -10], [0, 0.8, 0, 20], [2.5, 0, 0, 5], [0, 0, 0, 1.0]]))
    mask = make_volume((array > 200).astype(np.uint8), ct.affine)
    write_volume(ct, folder / "ct.nii")
    write_volume(ct, folder / "ct.nii.gz")
    write_mask(mask, folder / "mask.seg.nrrd", like=Scan(ct, "ct", GridSource(folder / "ct")))
    image = sitk.GetImageFromArray(array)
    for name, packed in (("raw.nrrd", False), ("raw.mha", False), ("packed.mha", True)):
        sitk.WriteImage(image, str(folder / name), packed)
    head, data = (folder / "raw.nrrd").read_bytes().split(b"\n\n", 1)
    numbers = " ".join(map(str, array.ravel())).encode()
    for name, body in (("bzip2", bz2.compress(data)), ("hex", data.hex().encode()), ("text", numbers)):
        changed = head.replace(b"encoding: raw", f"encoding: {name}".encode())
        (folder / f"{name}.nrrd").write_bytes(changed + b"\n\n" + body)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def flipped(data: bytes, rng: np.random.Generator, *, inside: bool) -> bytes:
    """One to four bytes changed, half of them in the header; of a gzip either outside or inside."""
    raw = bytearray(gzip.decompress(data) if inside else data)
    for _ in range(rng.integers(1, 5)):
        end = min(len(raw), 600) if rng.random() < 0.5 else len(raw)
        raw[rng.integers(0, end)] = rng.integers(0, 256)
    if rng.random() < 0.1:
        raw = raw[: rng.integers(1, len(raw))]
    return gzip.compress(bytes(raw), 1) if inside else bytes(raw)


def one(path: Path, data: bytes, whole: np.ndarray | None) -> tuple[str, float]:
    """Read the bytes as CT or mask; return outcome and time. AssertionError if voxels differ from ``whole``."""
    path.write_bytes(data)
    start = time.perf_counter()
    try:
        array = (read_mask(path) if path.name.startswith("mask") else read_scan(path).volume).array
        if whole is not None and not np.array_equal(array, whole):
            raise AssertionError("voxels changed in silence")
        outcome = "read"
    except RmaunetError:
        outcome = "refused"
    return outcome, time.perf_counter() - start


def run(count: int, seed: int) -> dict[str, float]:
    """Try ``count`` damaged files.

    Returns:
        Counts of outcomes, the slowest read in seconds, and how far memory grew in MB.

    Raises:
        AssertionError: If a read is slower or larger than allowed; any other exception is a finding, too.
    """
    rng = np.random.default_rng(seed)
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = sorted(samples(folder).items())
        whole = read_scan(folder / "ct.nii.gz").volume.array
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        for number in range(count):
            kind, data = files[number % len(files)]
            inside = kind.endswith(".gz") and rng.random() < 0.7
            outside = kind.endswith(".gz") and not inside
            damaged = flipped(data, rng, inside=inside)
            try:
                outcome, seconds = one(folder / kind, damaged, whole if outside else None)
            except Exception:
                Path(f"fuzz-{seed}-{number}-{kind}").write_bytes(damaged)
                raise
            outcomes[outcome] += 1
            slowest = max(slowest, seconds)
            if seconds > SECONDS:
                Path(f"fuzz-{seed}-{number}-{kind}").write_bytes(damaged)
                raise AssertionError(f"{kind} {number}: {seconds:.1f} s")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    if grown > MEGABYTES:
        raise AssertionError(f"memory grew by {grown:.0f} MB")
    return {**outcomes, "slowest_seconds": round(slowest, 3), "memory_growth_mb": round(grown, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", type=Path, help="JSON file to keep the outcome in")
    given = parser.parse_args()
    logging.getLogger("rmaunet").setLevel(logging.ERROR)
    start = time.perf_counter()
    found = run(given.count, given.seed)
    if given.record:
        write_json(given.record, {"files": given.count, "seed": given.seed, **found, "machine": machine()})
    print(f"{given.count} files, {time.perf_counter() - start:.0f} s: {found}", file=sys.stdout)


if __name__ == "__main__":
    main()
