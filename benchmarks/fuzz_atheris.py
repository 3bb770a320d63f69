"""Coverage-guided fuzzing of the readers: whatever the bytes, a scan or mask comes back, or one of our errors.

Not part of the tests: ``pip install atheris``, then ``python benchmarks/fuzz_atheris.py -max_total_time=180``.
Seeds are a NIfTI (plain and gzip), a Slicer segmentation, NRRD, MetaImage, a DICOM slice and a DICOM SEG; each input is
read as a scan and as a mask. Anything but a RmaunetError, or more than 5 seconds on one input, ends the run with the
input that did it.
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
    from rmaunet.io import (  # noqa: F401
        GridSource,
        Scan,
        dicom,
        dicom_seg,
        dicom_seg_read,
        metaimage,
        nifti,
        nifti_header,
        nrrd_header,
        read_mask,
        read_volume,
        slicer_segments,
        write_mask,
        write_volume,
    )
from rmaunet.volume import make_volume

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "io"))
import dicom_writer
import SimpleITK as sitk  # noqa: N813

FOLDER = Path(tempfile.mkdtemp())


def seeds() -> list[bytes]:
    volume = make_volume(np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6) - 1000)
    write_volume(volume, FOLDER / "seed.nii")
    mask = make_volume((volume.array % 3).astype(np.uint8), volume.affine)
    write_mask(mask, FOLDER / "seed.seg.nrrd", like=Scan(volume, "seed", GridSource(FOLDER)))
    for name in ("seed.nrrd", "seed.mha"):
        sitk.WriteImage(sitk.GetImageFromArray(volume.array), str(FOLDER / name), False)
    series = dicom_writer.series(FOLDER / "ct")
    scan = read_volume(series)
    array = np.clip(dicom_writer.stored() // 700, 0, 2).astype(np.uint8)
    write_mask(make_volume(array, scan.volume.affine), FOLDER / "seed.dcm", like=scan)
    names = ("seed.nii", "seed.seg.nrrd", "seed.nrrd", "seed.mha", "ct/IM0002.dcm", "seed.dcm")
    files = [(FOLDER / name).read_bytes() for name in names]
    return [*files, gzip.compress(files[0], 1)]


def one(data: bytes) -> None:
    path = FOLDER / "input"
    path.write_bytes(data)
    for read in (read_volume, read_mask):
        with contextlib.suppress(RmaunetError):
            read(path)


def main() -> None:
    logging.disable(logging.CRITICAL)
    corpus = FOLDER / "corpus"
    corpus.mkdir()
    for number, data in enumerate(seeds()):
        (corpus / str(number)).write_bytes(data)
    atheris.Setup([*sys.argv, str(corpus), "-timeout=5", "-max_len=8192"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
