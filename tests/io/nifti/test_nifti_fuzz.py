"""Seeded byte flips of every single-file format: an image or our own error, at once and in little memory."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "lab" / "benchmarks" / "fuzz_nifti.py"


@pytest.fixture(scope="module")
def fuzz(load_file: Callable[..., ModuleType]) -> ModuleType:
    return load_file(SCRIPT)


@pytest.mark.parametrize("seed", [11, 12])
def test_byte_flips_end_in_an_image_or_our_error(fuzz: ModuleType, seed: int) -> None:
    found = fuzz.run(600, seed)
    assert found["read"] + found["refused"] == 600
    assert found["refused"] > 100
    assert found["slowest_seconds"] < 2
    assert found["memory_growth_mb"] < 512
