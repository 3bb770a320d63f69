"""docs/reference/measurements.md and the docstrings of report agree with the code."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import rmaunet.report
from rmaunet.measurement import flags
from rmaunet.measurement.measure_tables import LESION_COLUMNS, LESION_CONFIDENCE_COLUMNS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "measurements.md"
TEXT = PAGE.read_text(encoding="utf-8")
MODULES = [module.name for module in pkgutil.iter_modules(rmaunet.report.__path__)]


def test_page() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert failed == 0
    assert tried > 5


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"rmaunet.report.{name}")).failed == 0


def test_every_column_and_flag_is_explained() -> None:
    for name in LESION_COLUMNS:
        assert f"`{re.sub(r'^(centroid)_([xyz]_mm|[dhw])$', r'centroid_', name)}" in TEXT
    for name in LESION_CONFIDENCE_COLUMNS:
        assert f"`{name}`" in TEXT
    source = Path(flags.__file__).read_text(encoding="utf-8")
    for code in re.findall(r'Flag\("(\w+)"', source):
        assert f"| `{code}` |" in TEXT


def test_limits_in_the_page_are_the_codes() -> None:
    low, high = flags.LIVER_ML
    assert f"above {high:.0f} ml, or below {low:.0f} ml" in TEXT
    assert f"outside {flags.TISSUE_HU[0]:.0f} to {flags.TISSUE_HU[1]:.0f} HU" in TEXT
    assert f"below {flags.CONTRAST_HU:.0f} HU" in TEXT
    assert f"at {flags.AIR_HU:.0f} HU or below" in TEXT
    assert f"more than {flags.MANY_LESIONS} lesions" in TEXT
    assert f"more than {flags.MANY_PARTS} parts" in TEXT


def test_every_public_name_is_exported() -> None:
    names = rmaunet.report.__all__
    assert len(names) == len(set(names))
    assert all(hasattr(rmaunet.report, name) for name in names)
