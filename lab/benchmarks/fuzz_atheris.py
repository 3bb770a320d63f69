"""Coverage-guided fuzzing of the readers: whatever the bytes, a scan or mask comes back, or one of our errors.

Not part of the tests. In an environment of its own that holds rmaunet (atheris 3.0.0 has wheels for Python 3.11 to 3.13):

    pip install atheris==3.0.0
    OMP_NUM_THREADS=1 python lab/benchmarks/fuzz_atheris.py -max_total_time=240

Seeds are a NIfTI (plain and gzip), a Slicer segmentation, NRRDs in every encoding, MetaImage, a DICOM slice and a DICOM SEG;
each input is read as a scan and as a mask. All of rmaunet.io is instrumented. Anything but a RmaunetError, a scan that is
not finite, a mask of other values than 0, 1 and 2, or more than 5 seconds on one input ends the run with the input that did
it. Options of libFuzzer override those set here.
"""

import bz2
import contextlib
import gzip
import importlib
import logging
import pkgutil
import sys
import tempfile
from pathlib import Path

import atheris
import numpy as np

with atheris.instrument_imports(include=["rmaunet"]):
    import rmaunet.io
    from rmaunet.core.errors import RmaunetError

    for module in pkgutil.iter_modules(rmaunet.io.__path__, "rmaunet.io."):
        importlib.import_module(module.name)  # readers are otherwise imported when first used, past the instruments

from rmaunet.core.volume import make_volume
from rmaunet.io import GridSource, Scan, read_mask, read_scan, write_mask, write_volume

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "cases"))
import SimpleITK as sitk  # noqa: N813

import dicom_writer

FOLDER = Path(tempfile.mkdtemp())


def seeds() -> list[bytes]:
    volume = make_volume(np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6) - 1000)
    write_volume(volume, FOLDER / "seed.nii")
    mask = make_volume((volume.array % 3).astype(np.uint8), volume.affine)
    write_mask(mask, FOLDER / "seed.seg.nrrd", like=Scan(volume, "seed", GridSource(FOLDER)))
    for name in ("seed.nrrd", "seed.mha"):
        sitk.WriteImage(sitk.GetImageFromArray(volume.array), str(FOLDER / name), False)
    series = dicom_writer.series(FOLDER / "ct")
    scan = read_scan(series)
    array = np.clip(dicom_writer.stored() // 700, 0, 2).astype(np.uint8)
    write_mask(make_volume(array, scan.volume.affine), FOLDER / "seed.dcm", like=scan)
    names = ("seed.nii", "seed.seg.nrrd", "seed.nrrd", "seed.mha", "ct/IM0002.dcm", "seed.dcm")
    files = [(FOLDER / name).read_bytes() for name in names]
    head, data = files[2].split(b"\n\n", 1)[0] + b"\n\n", volume.array.tobytes()
    written = {
        b"bzip2": bz2.compress(data),
        b"hex": data.hex().encode(),
        b"text": " ".join(map(str, volume.array.ravel())).encode(),
    }
    encoded = [head.replace(b"encoding: raw", b"encoding: " + name) + body for name, body in written.items()]
    for one_file in encoded:
        check(one_file)
        read_scan(FOLDER / "input")
    return [*files, gzip.compress(files[0], 1), *encoded]


def check(data: bytes) -> None:
    path = FOLDER / "input"
    path.write_bytes(data)
    with contextlib.suppress(RmaunetError):
        volume = read_scan(path).volume
        if not (np.isfinite(volume.array).all() and np.isfinite(volume.affine).all()):
            raise AssertionError("a scan that is not finite")
    with contextlib.suppress(RmaunetError):
        if not set(np.unique(read_mask(path).array).tolist()) <= {0, 1, 2}:
            raise AssertionError("a mask of other labels")


def main() -> None:
    logging.disable(logging.CRITICAL)
    corpus = FOLDER / "corpus"
    corpus.mkdir()
    for number, data in enumerate(seeds()):
        (corpus / str(number)).write_bytes(data)
    atheris.Setup([sys.argv[0], "-timeout=5", "-max_len=8192", *sys.argv[1:], str(corpus)], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
