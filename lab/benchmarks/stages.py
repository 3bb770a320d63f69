"""Each stage of a scan by itself, in the form airspeed velocity reads (``setup``, ``time_*``, ``peakmem_*``), or at once:

    python lab/benchmarks/stages.py [--repeats 5]

prints the median CPU time of each.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.volume import scan_like
from rmaunet.io import read_scan, write_mask, write_volume
from rmaunet.metrics import hd95_pooled, surface_distances
from rmaunet.predict.postprocess import Postprocessing, labels_from_probabilities
from rmaunet.predict.postprocess import clean_labels as postprocess
from rmaunet.preprocess import Enlarger, Preprocessing, prepare

DEPTH = 100


class Stages:
    """A scan of 512 x 512 x 100 whose liver is an ellipsoid."""

    def setup(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "scan.nii.gz"
        write_volume(scan_like(DEPTH), self.path)
        self.scan = read_scan(self.path)
        self.prepared = prepare(self.scan.volume, Preprocessing(grid="spacing"))
        rows, columns = self.prepared.grid.canvas
        y, x = np.ogrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
        self.maps = np.stack([np.exp(-((x / 0.4) ** 2 + (y / 0.3) ** 2)), np.exp(-((x**2 + y**2) / 0.01))])
        self.maps = self.maps.astype(np.float32)
        self.enlarger = Enlarger(self.prepared.grid)
        self.settings = Postprocessing(largest_liver=True, fill_holes=True)
        self.labels = np.zeros(self.scan.volume.spatial_shape, np.uint8)
        self.time_restore()
        self.other = np.roll(self.labels, 3, axis=1)
        self.mask = self.scan.volume.with_array(self.labels)

    def teardown(self) -> None:
        self.folder.cleanup()

    def time_read(self) -> None:
        read_scan(self.path)

    def time_prepare(self) -> None:
        for start in range(0, DEPTH, 4):
            self.prepared.slices(start, start + 4)

    def time_restore(self) -> None:
        for z in range(20, 80):
            found = self.enlarger.above(self.maps, (0.5, 0.5))
            if found is not None:
                (rows, columns), part = found
                self.labels[z, rows, columns] = labels_from_probabilities(part, self.settings)

    def time_postprocess(self) -> None:
        postprocess(self.labels, self.settings, spacing_mm=(1.5, 0.75, 0.75))

    def time_write(self) -> None:
        write_mask(self.mask, self.path.with_name("mask.nii.gz"), like=self.scan)

    def time_surface_distances(self) -> None:
        hd95_pooled(surface_distances(self.labels > 0, self.other > 0, (1.5, 0.75, 0.75)))

    def peakmem_read(self) -> None:
        read_scan(self.path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    suite = Stages()
    suite.setup()
    for name in (name for name in dir(suite) if name.startswith("time_")):
        seconds = []
        for _ in range(options.repeats):
            began = time.process_time()
            getattr(suite, name)()
            seconds.append(time.process_time() - began)
        shown = f"{statistics.median(seconds):.3f} s ({min(seconds):.3f} to {max(seconds):.3f})"
        print(f"{name.removeprefix('time_'):<20} {shown} for {DEPTH} slices")
    suite.teardown()


if __name__ == "__main__":
    main()
