"""Are LiTS 28-47 named as 3D-IRCADb-01's patients when both are there? 3D-IRCADb is written from the LiTS volumes at hand.

python lab/benchmarks/overlap_ircadb.py LITS_ROOT -o lab/results/overlap_ircadb

Each of the volumes 28-47 becomes 3Dircadb1.N in a temporary folder as that data set is distributed: PATIENT_DICOM/image_K
without suffix and MASKS_DICOM/STRUCTURE/image_K. Differences from the LiTS file: rows run to the front, slices are numbered
from the head down, 384 x 384 pixels, 4/3 times the slices (interpolated), stored values are HU + 1024, air is -1000 HU. Then
the command compares the two data sets: every pair volume = patient + 27 must be named, and no other as the same scan.
"""

import argparse
import csv
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from overlap import respaced
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from rmaunet.core.files import write_json
from rmaunet.core.machine import machine
from rmaunet.core.volume import axial
from rmaunet.datasets import lits
from rmaunet.datasets.load_case import load_case

SIDE = 384


def header(series, k, z_mm, step_mm):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.StudyInstanceUID = data.SeriesInstanceUID = data.FrameOfReferenceUID = series
    data.PatientID, data.PatientName, data.Modality, data.InstanceNumber = "", "", "CT", k + 1
    data.ImageOrientationPatient, data.ImagePositionPatient = [1, 0, 0, 0, -1, 0], [0, 0, z_mm]
    data.PixelSpacing, data.SliceThickness = [step_mm[1], step_mm[2]], step_mm[0]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    return data


def save(data, array, path):
    data.Rows, data.Columns = array.shape
    data.BitsAllocated = data.BitsStored = 8 * array.dtype.itemsize
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, 0
    data.PixelData = array.tobytes()
    data["PixelData"].VR = "OW" if array.dtype.itemsize == 2 else "OB"
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)


def write_patient(folder, ct, labels, step_mm):
    """Write a LiTS volume in 3D-IRCADb's form, with resampled slices and pixels."""
    ct, labels = respaced(ct.astype(np.float32), 4 / 3), np.rint(respaced(labels.astype(np.float32), 4 / 3))
    step_mm = (step_mm[0] * 0.75, step_mm[1] * labels.shape[1] / SIDE, step_mm[2] * labels.shape[2] / SIDE)
    series = generate_uid()
    for k, z in enumerate(reversed(range(len(ct)))):  # image_0 is the slice nearest the head
        plane = cv2.resize(ct[z], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)[::-1]
        plane = np.where(plane <= ct.min() + 1, -1000, plane)
        mask = cv2.resize(labels[z].astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)[::-1]
        data = header(series, k, float(z * step_mm[0]), step_mm)
        data.RescaleSlope, data.RescaleIntercept = 1, -1024
        save(data, np.clip(np.rint(plane) + 1024, 0, 4095).astype(np.uint16), folder / "PATIENT_DICOM" / f"image_{k}")
        for name, value in (("liver", 1), ("livertumor01", 2)):
            if name == "liver" or (labels == 2).any():
                structure = (mask == value).astype(np.uint8) * 255
                save(
                    header(series, k, float(z * step_mm[0]), step_mm),
                    structure,
                    folder / "MASKS_DICOM" / name / f"image_{k}",
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    expected, checked = set(), {}
    with tempfile.TemporaryDirectory() as temporary:
        for case in lits.cases(args.root):
            n = lits.number(case.name)
            if n not in lits.IRCADB_VOLUMES:
                continue
            scan, mask = load_case(case)
            upright = axial(scan.volume)
            folder = Path(temporary) / f"3Dircadb1.{n - 27}"
            write_patient(folder, upright.array, axial(mask).array, upright.spacing)
            expected.add((case.name, folder.name))
            print(case.name, "as", folder.name, flush=True)
        command = [sys.executable, "-c", "from rmaunet.cli.main import run; run()", "data"]
        pairs = args.output / "pairs.csv"
        code = subprocess.run([*command, "overlap", args.root, temporary, "-o", pairs], check=False).returncode
        check = subprocess.run([*command, "check", temporary, "--json", "--quiet"], check=False, capture_output=True)
        for one in json.loads(check.stdout)["cases"]:
            checked[one["name"]] = {"tumor_ml": one.get("tumor_ml"), "problems": [p["code"] for p in one["problems"]]}
    rows = list(csv.DictReader(pairs.read_text().splitlines()))
    named = {(row["one"], row["other"]) for row in rows if row["verdict"] == "same scan"}
    right = {(a, b) for a, b in named if int(re.sub(r"\D", "", a)) == int(b.split(".")[1]) + 27}
    content = {"volumes_28_47_at_hand": len(expected), "named": len(right), "missed": sorted(expected - named),
               "false_alarms": sorted(named - expected), "least_score": min(float(r["score"]) for r in rows),
               "others_named_same_patient": sum(r["verdict"] != "same scan" for r in rows), "exit_code": code,
               "data_check": checked, "machine": machine(), "script": "lab/benchmarks/overlap_ircadb.py"}  # fmt: skip
    write_json(args.output / "manifest.json", content)
    print(json.dumps({k: v for k, v in content.items() if k not in ("data_check", "machine")}, indent=1))


if __name__ == "__main__":
    main()
