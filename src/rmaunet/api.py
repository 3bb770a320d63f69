"""Functions of ``import rmaunet``: segment, read, write, measure, evaluate and compare from Python.

They accept what users have (paths, or arrays with an affine) and call the functions of the rooms below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rmaunet.cohort.result import Result, analyze
from rmaunet.core.volume import Volume, make_volume
from rmaunet.core.volume.mask import Mask
from rmaunet.io import Scan, read_scan, write_mask
from rmaunet.io import read_mask as read_labels
from rmaunet.io.scan import GridSource
from rmaunet.measurement import Measurement, measure_mask
from rmaunet.metrics import CaseResult, Comparison, evaluate_case
from rmaunet.metrics import compare as compare_values
from rmaunet.predict import Compute, Predictor, Weights

__all__ = ["compare", "evaluate", "measure", "read_mask", "read_scan", "segment", "write_mask"]

ScanLike = str | Path | Scan | tuple[ArrayLike, ArrayLike]
MaskLike = str | Path | Volume

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def segment(
    source: ScanLike,
    weights: str | Path | Weights | Predictor = "fast",
    *,
    series: str | None = None,
    confidence: bool = False,
    progress: Callable[[int, int], None] = lambda done, of: None,
    **options: Any,
) -> Result:
    """Segment liver and liver tumors in a CT and measure them.

    Args:
        source: Path of a file (NIfTI, NRRD, MetaImage, DICOM), DICOM folder or zip; a scan from :func:`read_scan`; or
            (array, affine) as nibabel gives them: HU of shape (X, Y, Z), and 4 x 4 from voxel indices to RAS mm.
        weights: Name of released weights ("fast", "accurate"), a folder with weights, loaded weights, or a predictor.
            For many scans make a :class:`~rmaunet.predict.Predictor` once.
        series: SeriesInstanceUID, if a DICOM folder holds several.
        confidence: If True, estimate uncertainty as well; takes up to six times as long.
        progress: Called with (slices_done, slices_total).
        **options: Fields of :class:`~rmaunet.predict.compute.Compute`: device, runtime, precision, threads, batch,
            all_slices, max_memory.

    Returns:
        Mask on the scan's own grid, measures, lesions, and ``save`` and ``report`` to write them.

    Raises:
        InputError: If the scan cannot be used.
        ModelError: If the weights cannot be used.
        UsageError: If an option cannot be used here.

    Example:
        >>> result = segment("ct.nii.gz")  # doctest: +SKIP
        >>> result.measures.liver_ml, len(result.lesions)  # doctest: +SKIP
    """
    if isinstance(weights, Predictor):
        if options:
            raise TypeError(f"options {sorted(options)} belong to the predictor; make it with them")
        predictor = weights
    else:
        predictor = Predictor(weights, Compute.of(**options))
    return analyze(scan_of(source, series=series), predictor, confidence=confidence, progress=progress)


def read_mask(path: str | Path, *, like: ScanLike | None = None, labels: Mapping[int, int] | None = None) -> Mask:
    """Read a mask of any format: NIfTI, NRRD, .seg.nrrd, MetaImage, DICOM SEG.

    Args:
        path: The file, or a folder or zip that holds one mask.
        like: The CT, if the mask should lie on its grid.
        labels: Stored value to label (1 liver, 2 tumor), if they differ: ``{5: 1, 7: 2}``.

    Returns:
        uint8 labels with geometry.

    Raises:
        InputError: If there is no mask, or it does not fit the CT.
    """
    scan = None if like is None else scan_of(like)
    return Mask.of(read_labels(Path(path), like=scan, labels=labels))


def measure(mask: MaskLike, ct: ScanLike | None = None) -> Measurement:
    """Measure a mask: volumes, tumor burden, lesions with diameters, warnings.

    Args:
        mask: Path, or volume with labels {0, 1, 2}.
        ct: The CT below it, for intensities and warnings; None for volumes and lesions only.

    Returns:
        Measures, lesions, flags.

    Raises:
        InputError: If a file cannot be used, or the grids differ.
    """
    scan = None if ct is None else scan_of(ct)
    volume = mask if isinstance(mask, Volume) else read_labels(Path(mask), like=scan)
    thickness = None if scan is None else scan.slice_thickness_mm
    return measure_mask(volume, None if scan is None else scan.volume, slice_thickness_mm=thickness)


def evaluate(reference: MaskLike, prediction: MaskLike, *, name: str = "case", surface: bool = True) -> CaseResult:
    """Compare a predicted mask with a reference: overlap, surface distances and lesions of one case.

    Args:
        reference: Path, or volume with labels {0, 1, 2}.
        prediction: Likewise, on the same grid.
        name: Name of the case.
        surface: If False, leave out surface distances.

    Returns:
        Metrics of liver (with tumor) and tumor.

    Raises:
        InputError: If a file cannot be used, or the grids differ.
    """
    one, other = (m if isinstance(m, Volume) else read_labels(Path(m)) for m in (reference, prediction))
    return evaluate_case(one, other, name=name, surface=surface)


def compare(method: Sequence[float], other: Sequence[float], *, resamples: int = 10_000, seed: int = 0) -> Comparison:
    """Compare two methods on the same cases with paired tests and bootstrap intervals.

    Args:
        method: One value per case, e.g. Dice.
        other: Values of the other method, in the same order.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.

    Returns:
        Mean difference with interval, paired t test, Wilcoxon test, effect size.

    Raises:
        ValueError: If the lengths differ.
    """
    return compare_values(method, other, resamples=resamples, seed=seed)


def scan_of(source: ScanLike, *, series: str | None = None) -> Scan:
    """The scan of a path, of a scan, or of (array, affine).

    Raises:
        InputError: If the file cannot be used.
        ValueError: If the array is not 3-D or the affine not 4 x 4.
    """
    if isinstance(source, Scan):
        return source
    if isinstance(source, str | Path):
        return read_scan(source, series=series)
    array, affine = (np.asarray(part) for part in source)
    if array.ndim != 3 or affine.shape != (4, 4):
        raise ValueError(f"array {array.shape} and affine {affine.shape}: expected (X, Y, Z) and (4, 4)")
    turned = (RAS_TO_LPS @ affine)[:, [2, 1, 0, 3]]  # (Z, Y, X), as the readers give it
    return Scan(make_volume(_as_stored(array.T), turned), "array", GridSource(Path("array")))


def _as_stored(array: NDArray[Any]) -> NDArray[Any]:
    """HU as the readers give them: int16 if all are whole numbers, else float32. Both then give the same mask."""
    if np.isfinite(array).all() and np.abs(array).max(initial=0) < 2**15 and not np.mod(array, 1).any():
        return array.astype(np.int16)
    return array.astype(np.float32)
