"""Names of files: suffixes, names that are given, and what is shown of them."""

import os
from pathlib import Path

import pytest

from rmaunet.core.formats import given_name, one_line, scan_name, stem, without_folders

STEMS = [
    ("ct.nii.gz", "ct"), ("ct.NII.GZ", "ct"), ("ct.nii", "ct"), ("a.b.nrrd", "a.b"), ("m.seg.nrrd", "m"), ("m.seg.dcm", "m"),
    ("ct.img.gz", "ct"), ("ct.mhd", "ct"), ("study.zip", "study"), ("IM1.IMA", "IM1"), ("case.1.dcm", "case.1"),
    ("notes.txt", "notes.txt"), (".nii", ".nii"), ("IM0001", "IM0001"), ("ct.gz", "ct"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), STEMS, ids=[name for name, _ in STEMS])
def test_a_name_without_the_suffix_of_its_format(name: str, expected: str) -> None:
    assert stem(name) == expected


@pytest.mark.parametrize("given", ["case7", "case7/", "./case7", "other/../case7", "case7/.", "case7/sub/.."])
def test_a_link_is_called_by_its_own_name(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("DOE_JANE_1950", "other", "DOE_JANE_1950/sub"):
        (tmp_path / folder).mkdir()
    (tmp_path / "case7").symlink_to("DOE_JANE_1950")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))
    assert given_name(Path(given)) == scan_name(Path(given)) == "case7"


@pytest.mark.parametrize(("here", "given"), [("case7", "."), ("case7", "./"), ("case7/sub", ".."), ("case7", "sub/..")])
def test_the_current_folder_is_called_as_the_shell_calls_it(
    here: str, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "DOE_JANE_1950" / "sub").mkdir(parents=True)
    (tmp_path / "case7").symlink_to("DOE_JANE_1950")
    monkeypatch.chdir(tmp_path / here)
    monkeypatch.setenv("PWD", str(tmp_path / here))
    assert given_name(Path(given)) == "case7"


def test_a_shell_that_tells_another_folder_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for wrong in ("/", "relative", "", str(tmp_path / "gone")):
        monkeypatch.setenv("PWD", wrong)
        assert given_name(Path()) == tmp_path.name


SHOWN = [
    ("a\nb\tc", "a b c"), ("\x1b[31mred", "\\x1b[31mred"),
    (os.fsdecode(b"M\xfcller"), "M\\udcfcller"), ("Mädchen 肝", "Mädchen 肝"),
    ("a\u202eb", "a\\u202eb"), ("  a   b ", "a b"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SHOWN)
def test_a_message_is_one_line_without_control_characters(text: str, expected: str) -> None:
    assert one_line(text) == expected


FOLDERS = [
    ("/data/DOE JANE/ct.nii: is cut", "/data/DOE JANE/ct.nii", "ct.nii: is cut"),
    ("/data/DOE JANE/ct.img: is cut", "/data/DOE JANE/ct.hdr", "ct.img: is cut"),
    ("DOE/ct.nii: is cut", "DOE/ct.nii", "ct.nii: is cut"),
    ("/data/DOE JANE/x/IM1 and /data/DOE JANE/x/IM2", "/data/DOE JANE/x", "x/IM1 and x/IM2"),
    ("/data/DOE JANE/ct.nii: is cut", "/data/DOE  JANE/ct.nii", "ct.nii: is cut"),  # spaces of a message are joined
    ("ct.nii: is cut", "ct.nii", "ct.nii: is cut"),
    ("/ct.nii: is cut", "/ct.nii", "/ct.nii: is cut"),
]


@pytest.mark.parametrize(("text", "path", "expected"), FOLDERS)
def test_folders_are_left_out_of_what_is_kept(text: str, path: str, expected: str) -> None:
    assert without_folders(text, None, Path(path)) == expected
