"""Reading a CT: rmaunet (which checks the file to its end) against nibabel, SimpleITK and pydicom, in turn.

    python lab/benchmarks/readers.py [--depth 300] [--side 512] [--repeats 3] [--dicom FOLDER] [--json FILE]

Times are CPU seconds of the process. Results are compared first; readers that differ are reported.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from bench.volume import scan_like
from rmaunet.core.volume import axial
from rmaunet.io import read_scan, write_volume

Read = Callable[[], NDArray[np.generic]]


def nifti_readers(path: Path) -> dict[str, Read]:
    return {
        "rmaunet": lambda: np.asarray(read_scan(path).volume.array),
        "nibabel dataobj": lambda: np.asarray(nibabel.load(path).dataobj).T,
        "nibabel get_fdata": lambda: nibabel.load(path).get_fdata().T,
        "SimpleITK": lambda: sitk.GetArrayFromImage(sitk.ReadImage(str(path))),
    }


def dicom_readers(folder: Path) -> dict[str, Read]:
    def by_pydicom() -> NDArray[np.generic]:
        slices = [pydicom.dcmread(path) for path in folder.iterdir() if path.is_file()]
        slices.sort(key=lambda item: float(item.ImagePositionPatient[2]))
        return np.stack([item.pixel_array * float(item.RescaleSlope) + float(item.RescaleIntercept) for item in slices])

    def by_sitk() -> NDArray[np.generic]:
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
        return sitk.GetArrayFromImage(reader.Execute())

    return {
        "rmaunet": lambda: np.asarray(axial(read_scan(folder).volume).array),
        "pydicom": by_pydicom,
        "SimpleITK": by_sitk,
    }


def compare(readers: dict[str, Read], repeats: int) -> list[dict[str, object]]:
    first = readers["rmaunet"]()
    equal = {name: bool(np.array_equal(np.maximum(read(), -1024), first)) for name, read in readers.items()}
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(repeats):
        for name, read in readers.items():
            began = time.process_time()
            read()
            seconds[name].append(time.process_time() - began)
    mine = statistics.median(seconds["rmaunet"])
    rows = []
    for name, found in seconds.items():
        median = statistics.median(found)
        rows.append({"reader": name, "seconds": found, "ratio": median / mine, "equal": equal[name]})
        same = "" if equal[name] else "  values differ"
        print(f"  {name:<18} {median:7.3f} s ({min(found):.3f} to {max(found):.3f})  {median / mine:5.2f} x{same}")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("depth", 300), ("side", 512), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--dicom", type=Path, help="folder of one series")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    versions = {name: version(name) for name in ("nibabel", "SimpleITK", "pydicom", "isal")}
    print(versions)
    record: dict[str, object] = {"versions": versions, "depth": options.depth, "side": options.side}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scan.nii.gz"
        write_volume(scan_like(options.depth, side=options.side), path)
        print(f"{options.side} x {options.side} x {options.depth} .nii.gz, {path.stat().st_size >> 20} MiB")
        record["nifti"] = compare(nifti_readers(path), options.repeats)
    if options.dicom:
        print(f"DICOM series, {len(list(options.dicom.iterdir()))} files")
        record["dicom"] = compare(dicom_readers(options.dicom), options.repeats)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
