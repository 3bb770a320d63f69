"""Seeded byte flips of a DICOM series: it reads, or is refused with our error, within two seconds and 512 MB.

    python benchmarks/fuzz_dicom.py [FLIPS] [SEED]

Prints one line per outcome; exits 1 if anything else happened.
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

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "io"))
import dicom_writer as w

from rmaunet.errors import InputError
from rmaunet.io.dicom import read_dicom

SYNTAXES = (None, "implicit", "deflated", "rle", "jpeg-ls", "jpeg-lossless", "jpeg-2000", "enhanced")


def main(flips: int, seed: int) -> int:
    logging.getLogger("rmaunet").setLevel(logging.ERROR)
    rng = np.random.default_rng(seed)
    outcomes: collections.Counter[str] = collections.Counter()
    slowest, wrong = 0.0, 0
    with tempfile.TemporaryDirectory() as root:
        for syntax in SYNTAXES:
            folder = Path(root, str(syntax))
            path = (
                w.enhanced(folder / "e.dcm") if syntax == "enhanced" else w.series(folder, syntax=syntax) / "IM0002.dcm"
            )
            whole = path.read_bytes()
            for _ in range(flips // len(SYNTAXES)):
                data = bytearray(whole)
                places = rng.integers(0, len(data), rng.integers(1, 5))
                for at in places:
                    data[at] = rng.integers(256)
                path.write_bytes(data)
                start = time.perf_counter()
                try:
                    volume = read_dicom(folder).volume
                    outcome = "read"
                    keep = [i for i in range(w.DEPTH) if i != 2]
                    if syntax != "enhanced" and not np.array_equal(volume.array[keep], w.hu()[keep]):
                        outcome = "WRONG VOXELS in a slice not touched"
                except InputError as error:
                    outcome = f"refused: {error.field}"
                except Exception:
                    outcome = f"DEFECT: {traceback.format_exc(limit=-2)}"
                slowest = max(slowest, time.perf_counter() - start)
                wrong += outcome[0].isupper()
                outcomes[outcome] += 1
    for outcome, count in outcomes.most_common():
        print(f"{count:6d} {outcome}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"slowest {slowest:.2f} s, peak memory {peak} MB, defects {wrong}")
    return int(wrong > 0 or slowest > 2 or peak > 512)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, int(sys.argv[2]) if len(sys.argv) > 2 else 0))
