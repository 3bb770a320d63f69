"""From file to file at every size and orientation: the mask lies where the voxels are."""

import itertools
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import nn

from rmaunet.cohort.segment_request import Request
from rmaunet.cohort.segment_scan import Job, segment_scan
from rmaunet.core.volume import axial, make_volume
from rmaunet.predict import Postprocessing, Predictor
from rmaunet.preprocess import Preprocessing


class Threshold(nn.Module):
    """Liver above 50 HU, tumor above 150 HU of a window of [-200, 200]."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([(x[:, :1] - 0.25) * 100, (x[:, :1] - 0.75) * 100], dim=1)


def predictor(spacing_mm: float, batch: int = 8) -> Predictor:
    settings = Preprocessing(grid="spacing", spacing_mm=spacing_mm)
    return Predictor.from_network(Threshold(), settings, Postprocessing(), batch=batch)


def scene(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """HU (i, j, k) and labels: nothing symmetric, the same in no two octants."""
    hu = np.full(shape, -1000, np.int16)
    labels = np.zeros(shape, np.uint8)
    box = tuple(slice(n // 5, n // 5 + max(1, n // 2)) for n in shape)
    hu[box], labels[box] = 100, 1
    part = tuple(slice(n // 4, n // 4 + max(1, n // 7)) for n in shape)
    hu[part], labels[part] = 190, 2
    return hu, labels


def segment(hu: np.ndarray, affine: np.ndarray, folder: Path, network: Predictor) -> nib.Nifti1Image:
    nib.save(nib.Nifti1Image(hu, affine), folder / "ct.nii")
    job = Job(folder / "ct.nii", lambda name, suffix: folder / f"{name}_seg{suffix}")
    outcome = segment_scan(job, network, Request(overlay=False))
    return nib.load(outcome.files[0])


SHAPES = [(13, 13, 3), (13, 17, 2), (1024, 1024, 2), (16, 16, 1500), (64, 48, 1), (1, 1, 1), (513, 31, 4)]


@pytest.mark.parametrize("shape", SHAPES, ids=["x".join(map(str, shape)) for shape in SHAPES])
def test_any_size(shape: tuple[int, ...], tmp_path: Path) -> None:
    hu, labels = scene(shape)
    affine = np.diag([-0.8, -0.8, 2.5, 1.0])
    mask = segment(hu, affine, tmp_path, predictor(0.8, batch=64))
    assert np.array_equal(np.asarray(mask.dataobj), labels)
    assert np.array_equal(mask.affine, nib.load(tmp_path / "ct.nii").affine)


def rotation(degrees: float, axis: tuple[float, float, float]) -> np.ndarray:
    """Rodrigues' formula."""
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.deg2rad(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


@pytest.mark.parametrize(
    "turn",
    [np.eye(3), rotation(12, (1, 0, 0)), rotation(31, (0.3, -0.5, 1)), rotation(44, (1, 1, 0.2))],
    ids=["upright", "tilted", "oblique", "far oblique"],
)
def test_all_48_orientations_of_oblique_anisotropic_scans_give_one_mask_in_patient_space(turn: np.ndarray) -> None:
    """Not through files, which would be slow: :func:`test_a_turned_file_gives_the_same_mask` takes three through them."""
    hu, labels = scene((22, 26, 7))
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([1.0, 1.0, 3.0])
    affine[:3, 3] = (-31, 57, -204)
    # (k, j, i), world LPS: what the reader makes of an upright file
    ct = axial(make_volume(np.ascontiguousarray(hu.T), affine[:, [2, 1, 0, 3]]))
    truth = axial(make_volume(np.ascontiguousarray(labels.T), affine[:, [2, 1, 0, 3]]))
    network = predictor(1.0)
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            turned = ct.permute_spatial_axes(list(order))
            for axis, sign in enumerate(signs):
                turned = turned.flip_spatial(axis) if sign < 0 else turned
            mask = network.predict(turned).mask
            assert np.array_equal(mask.affine, turned.affine)
            assert np.array_equal(mask.match_geometry(truth).array, truth.array), (order, signs)


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 2, 0), (0, 1, 2)])
def test_a_turned_file_gives_the_same_mask(order: tuple[int, int, int], tmp_path: Path) -> None:
    hu, labels = scene((22, 26, 7))
    affine = np.eye(4)
    affine[:3, :3] = rotation(17, (0.2, 1, -0.4)) @ np.diag([-1.0, 1.0, 3.0])
    affine[:3, 3] = (40, -22, 900)
    flip = np.eye(4)
    flip[1, 1], flip[1, 3] = -1, hu.shape[1] - 1
    turned, place = hu[:, ::-1].transpose(order), (affine @ flip)[:, [*order, 3]]
    mask = segment(turned, place, tmp_path, predictor(1.0))
    assert np.array_equal(np.asarray(mask.dataobj), labels[:, ::-1].transpose(order))
    assert np.array_equal(mask.affine, nib.load(tmp_path / "ct.nii").affine)
