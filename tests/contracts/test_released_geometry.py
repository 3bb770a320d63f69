"""Scans in every orientation and memory layout, with the settings that ship: the mask lies where the voxels are.

A network whose answer is known (:mod:`released`) stands in for the released one; everything around it is the released card's:
preprocessing, search, cascade, postprocessing.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from released import known_network, released, scene, write_series
from rmaunet.cli.main import main
from rmaunet.core.volume import Volume, to_grid
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.io import read_mask, read_scan
from rmaunet.predict import Predictor, load_weights

CARDS = ("fast", "accurate")
ORIENTATIONS = [
    (order, signs) for order in itertools.permutations(range(3)) for signs in itertools.product((1, -1), repeat=3)
]
Layout = Callable[[np.ndarray], np.ndarray]
LAYOUTS: dict[str, Layout] = {"C": np.ascontiguousarray, "Fortran": np.asfortranarray}


def turned(ct: Volume, order: tuple[int, ...], signs: tuple[int, ...]) -> Volume:
    ct = ct.permute_spatial_axes(list(order))
    for axis, sign in enumerate(signs):
        ct = ct.flip_spatial(axis) if sign < 0 else ct
    return ct


def rotation(degrees: float) -> np.ndarray:
    """About an axis that is none of the scan's."""
    x, y, z = np.array((0.3, -0.5, 1)) / np.linalg.norm((0.3, -0.5, 1))
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(np.deg2rad(degrees)) * cross + (1 - np.cos(np.deg2rad(degrees))) * cross @ cross


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_orientation_and_memory_layout_gives_the_truth(card: str, layout: str) -> None:
    """The scan's pixels are the network's (1.5 mm), so that not a voxel may differ."""
    ct, truth = scene((3.0, 1.5, 1.5))
    network = released(card)
    for order, signs in ORIENTATIONS:
        scan = turned(ct, order, signs)
        scan = scan.with_array(LAYOUTS[layout](scan.array))
        mask = network.predict(scan).mask
        assert np.array_equal(mask.affine, scan.affine)
        assert np.array_equal(to_grid(mask, truth).array, truth.array), (order, signs)


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("degrees", [0, 23])
def test_any_orientation_of_a_resampled_scan_gives_one_mask(card: str, degrees: float) -> None:
    ct, truth = scene((3.0, 1.4, 1.2), rotation(degrees))
    network = released(card)
    expected = network.predict(ct).mask.array
    for label in (1, 2):
        found, wanted = expected >= label, truth.array >= label
        assert 2 * np.count_nonzero(found & wanted) > 0.8 * (np.count_nonzero(found) + np.count_nonzero(wanted))
    for order, signs in ORIENTATIONS[
        :: 1 if card == "fast" else 7
    ]:  # 7: each order of axes, most combinations of signs
        mask = network.predict(turned(ct, order, signs)).mask
        assert np.array_equal(to_grid(mask, ct).array, expected), (order, signs)


@pytest.fixture
def known() -> Iterator[None]:
    with known_network():
        yield


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_nifti_file_in_any_orientation_is_segmented_by_the_command(
    order: tuple[int, ...], tmp_path: Path, known: None, capsys: pytest.CaptureFixture[str]
) -> None:
    ct, truth = scene((3.0, 1.5, 1.5))
    upright = np.asarray(ct.affine)[:, [2, 1, 0, 3]] * [[-1], [-1], [1], [1]]
    rows = []
    (tmp_path / "scans").mkdir()
    for signs in itertools.product((1, -1), repeat=3):
        array, affine = ct.array.transpose(2, 1, 0), upright.copy()
        for axis, sign in enumerate(signs):
            if sign < 0:
                affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
                affine[:3, axis] *= -1
                array = np.flip(array, axis)
        name = "".join("np"[sign > 0] for sign in signs)
        image = nib.Nifti1Image(array.transpose(order), affine[:, [*order, 3]])
        nib.save(image, tmp_path / "scans" / f"{name}.nii")
    words = ["segment", "-i", str(tmp_path / "scans"), "-o", str(tmp_path / "o"), "-w", "accurate", "--no-overlay"]
    assert main(words) == 0
    for path in sorted((tmp_path / "scans").iterdir()):
        mask = tmp_path / "o" / f"{path.stem}_seg.nii.gz"
        assert np.array_equal(nib.load(mask).affine, nib.load(path).affine)
        assert np.array_equal(to_grid(read_mask(mask), truth).array, truth.array), path.stem
        rows.append(json.loads((tmp_path / "o" / f"{path.stem}_run.json").read_text())["cohort"])
    assert all(row == rows[0] for row in rows)  # every number of the tables, too


PLANES = {
    "axial": "HPL", "axial, feet last": "FPL", "coronal": "PFL", "coronal from behind": "AFR", "sagittal": "LFP",
    "sagittal from the right": "RFA",
}  # fmt: skip


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("card", CARDS)
def test_dicom_in_any_plane_is_segmented_by_the_command(plane: str, card: str, tmp_path: Path, known: None) -> None:
    ct, truth = scene((3.0, 1.5, 1.5))
    series = ct.to_patient_orientation(PLANES[plane])
    write_series(tmp_path / "ct", series)
    words = ["segment", "-i", str(tmp_path / "ct"), "-o", str(tmp_path / "o"), "-w", card, "--report"]
    assert main([*words, "--format", "nifti", "dicom-seg", "nrrd"]) == 0
    scan = read_scan(tmp_path / "ct")
    for name in ("ct_seg.nii.gz", "ct_seg.dcm", "ct_seg.seg.nrrd"):
        mask = read_mask(tmp_path / "o" / name, like=scan)
        assert np.array_equal(to_grid(mask, truth).array, truth.array), name


def test_the_real_network_gives_one_mask() -> None:
    truth = phantom("abdomen", seed=1, shape=(24, 80, 80))
    network = Predictor(load_weights("fast", at_once=False))
    ct = truth.ct
    scan = turned(ct, (2, 0, 1), (1, -1, 1))
    mask, other = (network.predict(one).mask for one in (ct, scan.with_array(np.asfortranarray(scan.array))))
    found, wanted = mask.array > 0, truth.mask.array > 0
    assert 2 * np.count_nonzero(found & wanted) > 0.7 * (np.count_nonzero(found) + np.count_nonzero(wanted))
    assert np.array_equal(to_grid(other, ct).array, mask.array)
