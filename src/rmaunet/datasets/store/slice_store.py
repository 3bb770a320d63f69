"""The slice store: windowed slices of many cases as two flat byte files and an index, read by memory map.

Layout of a store folder: ``images.u8`` and ``labels.u8`` hold all cases' (D, H, W) bytes one after another; ``index.json``,
written last, says where each case lies, its spacing, its counts per slice and its checksums. A random slice costs one page
fault; training reads tens of thousands a second.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rmaunet.core.errors import InputError, OutputError
from rmaunet.core.files import make_folder, read_json, write_json
from rmaunet.core.labels import liver_mask, tumor_mask
from rmaunet.core.settings import from_dict, to_dict
from rmaunet.preprocess import Preprocessing

__all__ = ["Store", "StoreWriter", "StoredCase"]

VERSION = 1


@dataclass(frozen=True)
class StoredCase:
    """One case of a store.

    Attributes:
        name: The case's name in its data set.
        patient: Whom the scan is of; cases of one patient never part in a split.
        shape: (D, H, W).
        spacing_mm: (z, y, x) of the stored slices.
        offset: First byte in both files.
        source: SHA-256 of the image file it was made from.
        checksum: CRC-32 of the image bytes and of the label bytes.
        liver: Liver pixels (with tumor) of each slice.
        tumor: Tumor pixels of each slice.
        lesions: First and last slice of each lesion (26-neighbours); empty in stores written before lesions were kept.
    """

    name: str
    patient: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    offset: int
    source: str
    checksum: tuple[int, int]
    liver: tuple[int, ...]
    tumor: tuple[int, ...]
    lesions: tuple[tuple[int, int], ...] = ()

    @property
    def size(self) -> int:
        """Bytes in each of the two files."""
        depth, height, width = self.shape
        return depth * height * width


class StoreWriter:
    """Writes a store case by case; the index appears when the block ends well.

    Args:
        root: The store's folder; an older store there is replaced.
        preprocessing: Window and grid the slices were made with, kept in the index.
        licence: Name and licence of the data; "" if not known.
    """

    def __init__(self, root: Path, preprocessing: Preprocessing, *, licence: str = "") -> None:
        self.root = make_folder(root)
        self.licence = licence
        self.preprocessing = preprocessing
        self.cases: list[StoredCase] = []
        self._offset = 0
        self._images: IO[bytes] | None = None
        self._labels: IO[bytes] | None = None

    def __enter__(self) -> StoreWriter:
        """Open the files; an index of an older store goes first, so that a broken store is never taken for one."""
        (self.root / "index.json").unlink(missing_ok=True)
        try:
            self._images = (self.root / "images.u8").open("wb")
            self._labels = (self.root / "labels.u8").open("wb")
        except OSError as error:
            raise OutputError(
                self.root, "store", error.strerror, "cannot be written", "choose another folder"
            ) from error
        return self

    def add(
        self,
        name: str,
        images: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        *,
        spacing_mm: tuple[float, float, float],
        patient: str | None = None,
        source: str = "",
    ) -> None:
        """Append a case.

        Args:
            name: Unique in the store.
            images: (D, H, W) stored intensities.
            labels: (D, H, W) in {0, 1, 2}.
            spacing_mm: (z, y, x) of these slices.
            patient: By default the name.
            source: SHA-256 of the image file.

        Raises:
            InputError: If the shapes differ or the name is taken.
            OutputError: If the disk is full.
        """
        if images.shape != labels.shape:
            raise InputError(
                name, "shape", f"{images.shape} against {labels.shape}", "image and mask differ", "pair them"
            )
        if any(case.name == name for case in self.cases):
            raise InputError(name, "name", name, "stands in the store already", "remove the duplicate")
        if self._images is None or self._labels is None:
            raise RuntimeError("use StoreWriter in a with block")
        image_bytes, label_bytes = np.ascontiguousarray(images), np.ascontiguousarray(labels)
        try:
            self._images.write(image_bytes.data)
            self._labels.write(label_bytes.data)
        except OSError as error:
            raise OutputError(self.root, "store", error.strerror, "cannot be written", "free space") from error
        depth, height, width = images.shape
        self.cases.append(
            StoredCase(
                name=name,
                patient=patient or name,
                shape=(depth, height, width),
                spacing_mm=spacing_mm,
                offset=self._offset,
                source=source,
                checksum=(zlib.crc32(image_bytes.data), zlib.crc32(label_bytes.data)),
                liver=tuple(int(n) for n in liver_mask(labels).sum(axis=(1, 2))),
                tumor=tuple(int(n) for n in tumor_mask(labels).sum(axis=(1, 2))),
                lesions=_spans(tumor_mask(labels)),
            )
        )
        self._offset += image_bytes.size

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Flush, and write the index if nothing went wrong; else leave nothing (raises OutputError on a full disk)."""
        full: OSError | None = None
        for file in (self._images, self._labels):
            if file is not None:
                try:
                    file.flush()
                    os.fsync(file.fileno())
                    file.close()
                except OSError as trouble:
                    full = trouble
        if kind is not None or full is not None:
            for name in ("images.u8", "labels.u8"):
                (self.root / name).unlink(missing_ok=True)
        if full is not None and kind is None:
            raise OutputError(self.root, "store", full.strerror, "cannot be written", "free space") from full
        if kind is None:
            index = {
                "version": VERSION,
                "preprocessing": to_dict(self.preprocessing),
                "licence": self.licence,
                "cases": [to_dict(case) for case in self.cases],
            }
            write_json(self.root / "index.json", index)


def _spans(tumor: NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """First and last slice of each connected lesion of (D, H, W)."""
    if not tumor.any():
        return ()
    lesions = cc3d.connected_components(tumor.astype(np.uint8), connectivity=26)
    boxes = ndimage.find_objects(lesions)
    return tuple((box[0].start, box[0].stop - 1) for box in boxes if box is not None)


class Store:
    """A store opened for reading.

    Args:
        root: The store's folder.
        check: Compare every case's checksum first (about a second a gigabyte).
        say: Told what the check does, for progress.

    Raises:
        InputError: If it is no store, or its bytes are not those written.
    """

    def __init__(self, root: Path, *, check: bool = False, say: Callable[[str], None] = lambda _: None) -> None:
        self.root = root
        index = self._index()
        self.preprocessing = from_dict(Preprocessing, index["preprocessing"], subject=str(root / "index.json"))
        self.cases = [from_dict(StoredCase, case, subject=str(root / "index.json")) for case in index["cases"]]
        self.licence = str(index.get("licence", ""))
        self._by_name = {case.name: case for case in self.cases}
        expected = sum(case.size for case in self.cases)
        for name in ("images.u8", "labels.u8"):
            found = (root / name).stat().st_size if (root / name).is_file() else 0
            if found != expected:
                raise InputError(
                    root / name, "size", found, f"the index says {expected} bytes", "run `rmaunet prepare` again"
                )
        self._added: dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]] = {}
        self._images = np.memmap(root / "images.u8", np.uint8, "r") if expected else np.zeros(0, np.uint8)
        self._labels = np.memmap(root / "labels.u8", np.uint8, "r") if expected else np.zeros(0, np.uint8)
        if check:
            self._check(say)

    def _index(self) -> dict[str, Any]:
        path = self.root / "index.json"
        try:
            index = read_json(path)
        except FileNotFoundError as error:
            raise InputError(self.root, "store", None, "has no index.json", "make it with `rmaunet prepare`") from error
        except (OSError, ValueError) as error:
            raise InputError(
                path, "content", None, f"cannot be read ({error})", "run `rmaunet prepare` again"
            ) from error
        if not isinstance(index, dict) or index.get("version") != VERSION:
            raise InputError(path, "version", None, f"is not {VERSION}", "run `rmaunet prepare` again")
        return index

    def _check(self, say: Callable[[str], None]) -> None:
        for case in self.cases:
            say(f"checking {case.name}")
            found = (zlib.crc32(self.images(case.name).data), zlib.crc32(self.labels(case.name).data))
            if found != case.checksum:
                raise InputError(
                    self.root, f"checksum of {case.name}", f"{found}", "the stored bytes have changed",
                    "run `rmaunet prepare` again",
                )  # fmt: skip

    def case(self, name: str) -> StoredCase:
        """The case of that name. Raises InputError if there is none."""
        if name not in self._by_name:
            raise InputError(self.root, "case", name, "is not in the store", "prepare it, or correct the split")
        return self._by_name[name]

    def add(self, name: str, images: NDArray[np.uint8], *, spacing_mm: tuple[float, float, float]) -> StoredCase:
        """Add a case without a liver that is no file's, in memory only; ``cases`` does not name it.

        Args:
            name: Not that of another case.
            images: (D, H, W) intensities as they are stored.
            spacing_mm: (z, y, x).

        Returns:
            The case.
        """
        depth, height, width = images.shape
        nothing = (0,) * depth
        case = StoredCase(name, name, (depth, height, width), spacing_mm, 0, "", (0, 0), nothing, nothing)
        self._by_name[name] = case
        self._added[name] = (images, np.zeros_like(images))
        return case

    def images(self, name: str) -> NDArray[np.uint8]:
        """(D, H, W) stored intensities of a case, a view of the file."""
        case = self.case(name)
        if name in self._added:
            return self._added[name][0]
        return self._images[case.offset : case.offset + case.size].reshape(case.shape)

    def labels(self, name: str) -> NDArray[np.uint8]:
        """(D, H, W) labels of a case, a view of the file."""
        case = self.case(name)
        if name in self._added:
            return self._added[name][1]
        return self._labels[case.offset : case.offset + case.size].reshape(case.shape)

    def stack(self, name: str, z: int, offsets: Iterable[int] = (0,)) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Slices z + offset and their labels, both as (H, W, C) bytes; beyond the ends the end slice repeats."""
        images, labels = self.images(name), self.labels(name)
        slices = np.clip(z + np.asarray(list(offsets)), 0, len(images) - 1)
        return np.moveaxis(images[slices], 0, -1).copy(), np.moveaxis(labels[slices], 0, -1).copy()
