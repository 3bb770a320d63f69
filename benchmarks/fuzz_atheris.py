"""Coverage-guided fuzzing of the readers: whatever the bytes, a scan comes back or one of our errors.

Not part of the tests: ``pip install atheris``, then ``python benchmarks/fuzz_atheris.py -max_total_time=180``.
Anything but a RmaunetError, or more than 5 seconds on one input, ends the run with the input that did it.
"""

import contextlib
import gzip
import logging
import sys
import tempfile
from pathlib import Path

import atheris
import numpy as np

with atheris.instrument_imports(include=["rmaunet.io", "rmaunet.volume"]):
    from rmaunet.errors import RmaunetError
    from rmaunet.io import dicom_files, nifti, nifti_header, read_volume, write_volume  # noqa: F401
from rmaunet.volume import make_volume

FOLDER = Path(tempfile.mkdtemp())


def seeds() -> list[bytes]:
    volume = make_volume(np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6) - 1000)
    path = FOLDER / "seed.nii"
    write_volume(volume, path)
    return [path.read_bytes(), gzip.compress(path.read_bytes(), 1)]


def one(data: bytes) -> None:
    path = FOLDER / "input"
    path.write_bytes(data)
    with contextlib.suppress(RmaunetError):
        read_volume(path)


def main() -> None:
    logging.disable(logging.CRITICAL)
    corpus = FOLDER / "corpus"
    corpus.mkdir()
    for number, data in enumerate(seeds()):
        (corpus / str(number)).write_bytes(data)
    atheris.Setup([*sys.argv, str(corpus), "-timeout=5", "-max_len=4096"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
