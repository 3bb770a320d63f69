"""A real whole-abdomen CT to try things on, fetched once through pip; a phantom where there is no network.

The CT and a liver mask (made by a model, corrected by nobody we know of) are test files inside the source archive of
TotalSegmentator 2.18.0 (Apache-2.0). Only these two files are taken out of it; none of its code runs here, except that pip
asks its build backend for its name.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rmaunet.core.errors import InputError
from rmaunet.core.files import sha256, write_bytes

__all__ = ["REFERENCE_LABELS", "Example", "fetch_example", "kept_example"]

REQUIREMENT = "totalsegmentator==2.18.0"
INSIDE = "totalsegmentator-2.18.0/tests/reference_files/"
FILES = {
    "example_ct.nii.gz": "dbd3ae6d614d1d7ef3a46925c30c70038ed52da6b37fdd6afdc7b9b71387e3e1",
    "example_seg_fast_force_split.nii.gz": "e8097758e56e73099075b6caaebce23ef11bc6fad66a4ec3753b9406846558c7",
}
REFERENCE_LABELS = {5: 1}
"""TotalSegmentator's label of the liver is 5; it marks no tumors."""


@dataclass(frozen=True)
class Example:
    """A CT with a reference liver.

    Attributes:
        ct: File of the CT.
        reference: File of the mask, with foreign labels (see :data:`REFERENCE_LABELS`).
    """

    ct: Path
    reference: Path


def fetch_example(cache: Path) -> Example:
    """The example, from the cache or through pip.

    Args:
        cache: Folder that keeps it.

    Returns:
        The two files, checked against their known SHA-256.

    Raises:
        InputError: If it cannot be fetched; no half file stays.
    """
    paths = {name: cache / name for name in FILES}
    if not all(path.is_file() and sha256(path) == FILES[name] for name, path in paths.items()):
        _download(paths)
    ct, reference = paths.values()
    return Example(ct, reference)


def kept_example(cache: Path) -> Path | None:
    """The example's CT if it is in the cache and whole; nothing is fetched.

    Args:
        cache: Folder that keeps it.

    Returns:
        The file, or None.
    """
    name, checksum = next(iter(FILES.items()))
    path = cache / name
    return path if path.is_file() and sha256(path) == checksum else None


def _download(paths: dict[str, Path]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
        command += ["--no-binary", ":all:", "--dest", folder, REQUIREMENT]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(REQUIREMENT, "download", None, f"pip did not run ({error})", "try again later") from error
        archives = list(Path(folder).glob("*.tar.gz"))
        if done.returncode or not archives:
            reason = (done.stderr.strip().splitlines() or ["no archive came"])[-1][:200]
            raise InputError(REQUIREMENT, "download", reason, "failed", "check the network, or use --offline")
        with tarfile.open(archives[0]) as archive:
            for name, path in paths.items():
                member = archive.extractfile(INSIDE + name)  # read by name: nothing is unpacked to disk
                data = member.read() if member is not None else b""
                write_bytes(path, data)
                if sha256(path) != FILES[name]:
                    path.unlink()
                    raise InputError(REQUIREMENT, name, None, "is not the file expected", "report it")
