"""Reading a CT from NRRD, MetaImage or MRC.

The headers are parsed here and not by ITK, which fills a cut file with zeros and believes any size.
"""

from __future__ import annotations

from pathlib import Path

from rmaunet.core.errors import InputError
from rmaunet.io.detect_format import sniff
from rmaunet.io.nifti.read_nifti import case_name
from rmaunet.io.raster.metaimage import parse_metaimage
from rmaunet.io.raster.mrc import parse_mrc
from rmaunet.io.raster.nrrd import parse_nrrd
from rmaunet.io.scan import GridSource, Scan
from rmaunet.io.storage.load_volume import load_ct, tilted_grid
from rmaunet.io.storage.voxel_layout import StoredImage

__all__ = ["data_files", "parse_grid", "read_grid"]

_PARSERS = {"nrrd": parse_nrrd, "metaimage": parse_metaimage, "mrc": parse_mrc}


def parse_grid(path: Path) -> tuple[StoredImage, dict[str, str]]:
    """Read and check the header of an NRRD, MetaImage or MRC file.

    Args:
        path: The file.

    Returns:
        Where the voxels are; and the header's text fields.

    Raises:
        InputError: If the header cannot be used.
    """
    kind = sniff(path)
    if kind not in _PARSERS:
        raise InputError(path, "format", kind, "is none of NRRD, MetaImage, MRC", "use read_scan")
    return _PARSERS[kind](path)


def data_files(path: Path) -> tuple[Path, ...]:
    """The files beside a .nhdr or .mhd that hold its voxels; none for every other file, and where it cannot be read."""
    if not path.name.lower().endswith((".nhdr", ".mhd")):
        return ()
    try:
        held = parse_grid(path)[0].data_path
    except InputError:
        return ()
    files = (held,) if isinstance(held, Path) else held
    return tuple(file for file in files if file != path)


def read_grid(path: str | Path, *, volume: int | None = None, hu_offset: float = 0.0) -> Scan:
    """Read a CT from NRRD (.nrrd, .nhdr), MetaImage (.mha, .mhd) or MRC (.mrc).

    Args:
        path: The file.
        volume: Which volume of a 4-D file, from 0.
        hu_offset: Added to every value, in HU.

    Returns:
        The scan, (D, H, W) being the file's (k, j, i).

    Raises:
        InputError: If the file is cut, damaged, no CT, or its geometry makes no sense.
        UsageError: If ``hu_offset`` is not finite.
    """
    path = Path(path)
    image, _ = parse_grid(path)
    ct = load_ct(image, volume=volume, hu_offset=hu_offset)
    return Scan(ct, case_name(path), GridSource(path), tilted_grid(image))
