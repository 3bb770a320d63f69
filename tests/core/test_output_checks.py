"""No output is an input, by whatever name."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rmaunet.core.errors import OutputError, UsageError
from rmaunet.core.output_checks import check_outputs, looks_like_a_file


def hard(target: Path, link: Path) -> Path:
    os.link(target, link)
    return link


def soft(target: Path, link: Path) -> Path:
    link.symlink_to(target)
    return link


SAME: dict[str, Callable[[Path, Path], Path]] = {
    "itself": lambda root, ct: ct,
    "another spelling": lambda root, ct: root / "in" / ".." / "in" / "ct.nii",
    "a link": lambda root, ct: soft(ct, root / "out.nii"),
    "a link to a link": lambda root, ct: soft(soft(ct, root / "first.nii"), root / "out.nii"),
    "a hard link": lambda root, ct: hard(ct, root / "out.nii"),
    "through a linked folder": lambda root, ct: soft(root / "in", root / "alias") / "ct.nii",
}


@pytest.mark.parametrize("as_folder", [False, True], ids=["file", "folder"])
@pytest.mark.parametrize("way", SAME)
def test_an_output_that_is_an_input(way: str, as_folder: bool, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    ct = tmp_path / "in" / "ct.nii"
    ct.write_text("x")
    output = SAME[way](tmp_path, ct)
    with pytest.raises(UsageError, match="is one of the inputs, which are never changed"):
        check_outputs([tmp_path / "new", output], [None, ct.parent if as_folder else ct])


def test_an_input_reached_by_a_link_is_found_too(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "ct.nii").write_text("x")
    soft(tmp_path / "real", tmp_path / "in")
    with pytest.raises(UsageError, match="is one of the inputs"):
        check_outputs([tmp_path / "real" / "ct.nii"], [tmp_path / "in"])


def test_what_is_no_input_may_be_written(tmp_path: Path) -> None:
    for name in ("ct.nii", "old.nii"):
        (tmp_path / name).write_text("x")
    (tmp_path / "lost.nii").symlink_to("nowhere")
    check_outputs([tmp_path / name for name in ("new.nii", "old.nii", "lost.nii")], [tmp_path / "ct.nii"])
    with pytest.raises(OutputError, match=r"old.nii: output: exists already; choose another name, or add --overwrite"):
        check_outputs([tmp_path / "old.nii"], [], overwrite=False)
    with pytest.raises(OutputError, match="exists already"):
        check_outputs([tmp_path / "lost.nii"], [], overwrite=False)


def test_folders_two_results_and_names(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    soft(tmp_path / "in", tmp_path / "alias")
    for folder in ("in", "alias"):
        with pytest.raises(UsageError, match="is the folder of the input"):
            check_outputs([], [tmp_path / "in"], folder=tmp_path / folder)
    check_outputs([], [tmp_path / "in"], folder=tmp_path / "in" / "results")
    with pytest.raises(UsageError, match="two results would be one file"):
        check_outputs([tmp_path / "a", tmp_path / "a"], [])
    with pytest.raises(OutputError, match="is a folder"):
        check_outputs([tmp_path / "in"], [])
    with pytest.raises(OutputError, match="output name = 256 bytes: cannot be a file name here"):
        check_outputs([tmp_path / ("ü" * 128)], [])


@pytest.mark.parametrize(
    ("name", "file"),
    [("out.stl", True), ("out.mha", True), ("a.nii.bz2", True), ("out.html", True), ("out", False), ("run.2", False),
     ("model.v2", False), ("v1.10", False), ("2024.05.01", False), (".cache", False)],
)  # fmt: skip
def test_which_names_end_like_a_file(name: str, file: bool, tmp_path: Path) -> None:
    assert looks_like_a_file(tmp_path / name) is file
    (tmp_path / name).mkdir()
    assert not looks_like_a_file(tmp_path / name)
