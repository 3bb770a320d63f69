"""What every data set of DATASETS must keep; a new one needs a writer in trees.py."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from rmaunet.core.errors import InputError
from rmaunet.core.volume import same_grid
from rmaunet.datasets import DATASETS, Case
from rmaunet.datasets.check.check_dataset import check_set
from rmaunet.datasets.detect_layout import find_cases
from rmaunet.datasets.load_case import load_case, load_image
from trees import TREES

NAMES = sorted(DATASETS)


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: TREES[name].write(tmp_path_factory.mktemp(name)) for name in NAMES}


def cases(name: str, roots: dict[str, Path]) -> list[Case]:
    return DATASETS[name](roots[name])


@pytest.mark.parametrize("name", NAMES)
def test_it_has_a_fact_sheet(name: str) -> None:
    import importlib

    text = importlib.import_module(f"rmaunet.datasets.{name}").__doc__ or ""
    for entry in ("source", "layout", "labels"):
        assert entry in text


@pytest.mark.parametrize("name", NAMES)
def test_names_are_unique_and_files_exist(name: str, roots: dict[str, Path]) -> None:
    found = cases(name, roots)
    assert tuple(case.name for case in found) == TREES[name].names
    for case in found:
        assert case.image.exists()
        assert case.label is not None
        assert case.label.exists()


@pytest.mark.parametrize("name", NAMES)
def test_it_is_recognised(name: str, roots: dict[str, Path]) -> None:
    layout, found = find_cases(roots[name])
    assert layout == name
    assert found == cases(name, roots)


@pytest.mark.parametrize("name", NAMES)
def test_geometry_agrees_and_labels_are_ours(name: str, roots: dict[str, Path]) -> None:
    values = []
    for case in cases(name, roots):
        scan, mask = load_case(case)
        assert same_grid(scan.volume, mask)
        assert same_grid(scan.volume, load_image(case).volume)
        assert mask.dtype == np.uint8
        values.append(set(np.unique(mask.array).tolist()))
    assert values == [{0, 1, 2}, {0, 1}]


@pytest.mark.parametrize("name", NAMES)
def test_a_good_set_has_no_errors(name: str, roots: dict[str, Path]) -> None:
    report = check_set(roots[name])
    assert report.layout == name
    assert [problem for _, problem in report.everything() if problem.severity == "error"] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_mask_gives_count_and_name(name: str, roots: dict[str, Path], tmp_path: Path) -> None:
    root = Path(shutil.copytree(roots[name], tmp_path / "set"))
    gone = root / TREES[name].mask_of
    if gone.is_dir():
        shutil.rmtree(gone)
    else:
        gone.unlink()
    with pytest.raises(InputError, match=r"= 1: missing.* first ") as info:
        DATASETS[name](root)
    assert gone.name.partition(".")[0] in str(info.value) or TREES[name].names[0] in str(info.value)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        DATASETS[name](tmp_path)
    with pytest.raises(InputError):
        DATASETS[name](tmp_path / "nothing")
