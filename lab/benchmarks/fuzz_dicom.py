"""Seeded byte flips of a DICOM series and of a DICOM SEG: read, or refused with our error, in two seconds and 512 MB.

    python lab/benchmarks/fuzz_dicom.py [FLIPS] [SEED] [lab/results/fuzz/dicom.json]

Prints one line per outcome, and keeps the counts where a file is named; exits 1 if anything else happened.
"""

from __future__ import annotations

import collections
import logging
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "cases"))
import dicom_writer as w
from rmaunet.core.errors import InputError
from rmaunet.core.files import write_json
from rmaunet.core.machine import machine
from rmaunet.core.volume import Volume
from rmaunet.io.dicom.read_dicom import read_dicom
from rmaunet.io.dicom_seg.write_seg import read_dicom_seg, write_dicom_seg

SYNTAXES = (None, "implicit", "deflated", "rle", "jpeg-ls", "jpeg-lossless", "jpeg-2000", "enhanced", "seg", "labelmap")


def written(folder: Path, syntax: str | None) -> Path:
    """The file to damage: a slice of a series, an Enhanced CT, or a segmentation."""
    if syntax == "enhanced":
        return w.enhanced(folder / "e.dcm")
    if syntax in ("seg", "labelmap"):
        scan = read_dicom(w.series(folder / "ct"))
        array = np.clip(w.stored() // 700, 0, 2).astype(np.uint8)
        mask = Volume(array=array, affine=scan.volume.affine, coordinate_system="PATIENT")
        write_dicom_seg(mask, folder / "mask.dcm", source=scan.source, labelmap=syntax == "labelmap")
        return folder / "mask.dcm"
    return w.series(folder, syntax=syntax) / "IM0002.dcm"


def outcome_of(path: Path, syntax: str | None) -> str:
    """Outcome of reading the damaged file, or its folder."""
    try:
        if syntax in ("seg", "labelmap"):
            found = np.unique(read_dicom_seg(path).array)
            return "read" if set(found.tolist()) <= {0, 1, 2} else "WRONG LABELS"
        volume = read_dicom(path.parent).volume
        keep = [i for i in range(w.DEPTH) if i != 2]
        if syntax != "enhanced" and not np.array_equal(volume.array[keep], w.hu()[keep]):
            return "WRONG VOXELS in a slice not touched"
        return "read"
    except InputError as error:
        return f"refused: {error.field}"
    except Exception:
        return f"DEFECT: {traceback.format_exc(limit=-2)}"


def main(flips: int, seed: int, record: Path | None = None) -> int:
    logging.getLogger("rmaunet").setLevel(logging.ERROR)
    rng = np.random.default_rng(seed)
    outcomes: collections.Counter[str] = collections.Counter()
    slowest, wrong = 0.0, 0
    with tempfile.TemporaryDirectory() as root:
        for syntax in SYNTAXES:
            path = written(Path(root, str(syntax)), syntax)
            whole = path.read_bytes()
            for _ in range(flips // len(SYNTAXES)):
                data = bytearray(whole)
                places = rng.integers(0, len(data), rng.integers(1, 5))
                for at in places:
                    data[at] = rng.integers(256)
                path.write_bytes(data)
                start = time.process_time()
                outcome = outcome_of(path, syntax)
                slowest = max(slowest, time.process_time() - start)
                wrong += outcome[0].isupper()
                outcomes[outcome] += 1
    for outcome, count in outcomes.most_common():
        print(f"{count:6d} {outcome}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"slowest {slowest:.2f} s, peak memory {peak} MB, defects {wrong}")
    if record is not None:
        read = outcomes["read"]
        counts = {"read": read, "refused": sum(outcomes.values()) - read - wrong, "defects": wrong}
        times = {"slowest_seconds": round(slowest, 2), "peak_memory_mb": peak}
        write_json(record, {"files": sum(outcomes.values()), "seed": seed, **counts, **times, "machine": machine()})
    return int(wrong > 0 or slowest > 2 or peak > 512)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:3]] + [10_000, 0][len(sys.argv[1:3]) :]
    sys.exit(main(*numbers, Path(sys.argv[3]) if len(sys.argv) > 3 else None))
