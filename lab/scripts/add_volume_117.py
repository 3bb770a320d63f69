"""LiTS volume 117's liver, as a package publishes it, in LiTS's layout, to be trained on beside the volumes at hand.

liver-ct-segmentation-package (MIT) holds the box around that liver with its 70 lesions, resized to 128 x 128 x 128, in true HU.
Its spacing is lost: 1.5 x 1.5 x 1.6 mm is what its vertebrae suggest. LiTS's licence holds for what is trained on it.

    python lab/scripts/add_volume_117.py LITS/ [--cache CACHE]

writes volume-117.nii.gz and segmentation-117.nii.gz into LITS/, if they are not there. The package comes through pip, once.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
from make_screenshots import fetch_tumors

from rmaunet.core.files import cache_folder, write_bytes
from rmaunet.io import read_mask, read_scan

SPACING_MM = (1.5, 1.5, 1.6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lits", type=Path)
    parser.add_argument("--cache", type=Path, default=cache_folder())
    given = parser.parse_args()
    ct, mask = fetch_tumors(given.cache)
    scan = read_scan(ct)
    labels = read_mask(mask, like=scan)
    # Axes are left, posterior, head, the last fastest; MRC calls the fastest x. LiTS as at hand has the same axes.
    affine = np.diag([-SPACING_MM[0], -SPACING_MM[1], SPACING_MM[2], 1.0])
    for name, values in (("volume", np.rint(scan.volume.array)), ("segmentation", labels.array)):
        path = given.lits / f"{name}-117.nii.gz"
        if not path.exists():
            image = nib.Nifti1Image(np.ascontiguousarray(values.transpose(2, 1, 0)).astype(np.int16), affine)
            write_bytes(path, gzip.compress(image.to_bytes()))
            print(path)


if __name__ == "__main__":
    main()
