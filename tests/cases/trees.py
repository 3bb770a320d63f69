"""Miniature data sets, one writer a layout; each writes two patients of which the second has no tumor."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from rmaunet.datasets.phantoms.phantom import Phantom, phantom

SHAPE = (12, 24, 24)
UID = "1.2.826.0.1.3680043.8.498.7"


def made(n: int, *, tumor: bool = True) -> Phantom:
    return phantom(seed=n, shape=SHAPE, lesions=2 if tumor else 0, lesion_radius_mm=(20.0, 30.0))


def nifti(path: Path, array: np.ndarray, affine: np.ndarray | None = None) -> Path:
    """An axial array (D, H, W) as a file of 16 x 16 x 20 mm voxels, +i left, +j posterior, +k superior."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(array.transpose(2, 1, 0), np.diag([-16.0, -16, 20, 1]) if affine is None else affine)
    image.set_qform(image.affine, 1)
    nibabel.save(image, path)
    return path


def lits(root: Path) -> Path:
    for n, tumor in ((3, True), (32, False)):
        one = made(n, tumor=tumor)
        nifti(root / f"volume-{n}.nii", one.ct.array)
        nifti(root / f"segmentation-{n}.nii", one.mask.array)
    return root


def msd(root: Path) -> Path:
    entries = []
    for n, tumor in ((3, True), (32, False)):
        one, name = made(n, tumor=tumor), f"liver_{n}.nii.gz"
        nifti(root / "imagesTr" / name, one.ct.array)
        nifti(root / "labelsTr" / name, one.mask.array)
        (root / "imagesTr" / f"._{name}").write_bytes(b"Mac OS X")
        entries.append({"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"})
    labels = {"0": "background", "1": "liver", "2": "cancer"}
    (root / "dataset.json").write_text(json.dumps({"name": "Liver", "labels": labels, "training": entries}))
    return root


def folder(root: Path) -> Path:
    """nnU-Net's layout with labels of its own: 1 spleen, 2 liver, 3 tumor."""
    for name, n, tumor in (("a", 3, True), ("b", 32, False)):
        one = made(n, tumor=tumor)
        labels = np.where(one.mask.array > 0, one.mask.array + 1, 0).astype(np.uint8)
        labels[0, :2, :2] = 1
        nifti(root / "imagesTr" / f"{name}_0000.nii.gz", one.ct.array)
        nifti(root / "labelsTr" / f"{name}.nii.gz", labels)
    labels = {"background": 0, "spleen": 1, "liver": 2, "liver tumour": 3}
    (root / "dataset.json").write_text(json.dumps({"labels": labels, "numTraining": 2, "file_ending": ".nii.gz"}))
    return root


def ircadb(root: Path) -> Path:
    for n, tumor in ((1, True), (5, False)):
        patient(root / f"3Dircadb1.{n}", made(n, tumor=tumor), tumors=("livertumor01", "LiverTumor02") if tumor else ())
    return root


def patient(root: Path, one: Phantom, *, tumors: Sequence[str], others: Sequence[str] = ("livercyst", "tumor")) -> Path:
    """3D-IRCADb-01's folders: ``liver`` without the tumors, which ``tumors`` share; ``others`` fill a corner of their own."""
    lesions = np.argwhere(one.mask.array == 2)
    for z in range(SHAPE[0]):
        save(root / "PATIENT_DICOM" / f"image_{z}", one.ct.array[z].astype(np.int16), z)
        structures = {"liver": one.mask.array[z] == 1}
        for k, name in enumerate(tumors):
            structures[name] = np.zeros(SHAPE[1:], bool)
            mine = [(y, x) for i, (slice_, y, x) in enumerate(lesions) if slice_ == z and i % len(tumors) == k]
            for y, x in mine:
                structures[name][y, x] = True
        for name in others:
            structures[name] = np.zeros(SHAPE[1:], bool)
            structures[name][:3, :3] = True
        for name, mask in structures.items():
            save(root / "MASKS_DICOM" / name / f"image_{z}", (mask * 255).astype(np.uint8), z)
    return root


def save(path: Path, array: np.ndarray, z: int) -> None:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = f"{UID}.{z + 1}"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = f"{UID}.90", f"{UID}.91", f"{UID}.92"
    data.PatientID, data.PatientName, data.Modality, data.InstanceNumber = "", "", "CT", z + 1
    data.ImageOrientationPatient, data.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 20.0 * z]
    data.PixelSpacing, data.SliceThickness = [16, 16], 20
    data.RescaleSlope, data.RescaleIntercept = 1, 0
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = array.shape
    data.BitsAllocated = data.BitsStored = 8 * array.dtype.itemsize
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(array.dtype.kind == "i")
    data.PixelData = array.tobytes()
    data["PixelData"].VR = "OW" if array.dtype.itemsize == 2 else "OB"
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)


def zipped(root: Path) -> Path:
    """Replace every PATIENT_DICOM and MASKS_DICOM below a folder by a zip that repeats its name, as distributed."""
    for part in [*root.glob("*/PATIENT_DICOM"), *root.glob("*/MASKS_DICOM")]:
        files = [path for path in sorted(part.rglob("*")) if path.is_file()]
        with zipfile.ZipFile(part.with_name(part.name + ".zip"), "w") as archive:
            for path in files:
                archive.write(path, path.relative_to(part.parent))
        for path in files:
            path.unlink()
        for path in sorted(part.rglob("*"), reverse=True):
            path.rmdir()
        part.rmdir()
    return root


@dataclass(frozen=True)
class Tree:
    """How the contract tests write a data set, and what must be in it.

    write: makes it in an empty folder. names: its cases. mask_of: the mask file (or folder) of the first case, to be removed.
    """

    write: Callable[[Path], Path]
    names: tuple[str, str]
    mask_of: str


TREES: dict[str, Tree] = {
    "lits": Tree(lits, ("volume-3", "volume-32"), "segmentation-3.nii"),
    "ircadb": Tree(ircadb, ("3Dircadb1.1", "3Dircadb1.5"), "3Dircadb1.1/MASKS_DICOM"),
    "msd": Tree(msd, ("liver_3", "liver_32"), "labelsTr/liver_3.nii.gz"),
    "folder": Tree(folder, ("a", "b"), "labelsTr/a.nii.gz"),
}
