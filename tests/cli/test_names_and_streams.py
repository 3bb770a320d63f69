"""Names that are not UTF-8 or too long, and streams that are closed, full or narrow."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from rmaunet.cli.main import main
from small import known_network, write_ct, write_labels

BAD = os.fsdecode(b"M\xfcller_Leber")
"""A name of another system: its second byte is not UTF-8. In text it is ``M\\udcfcller_Leber``."""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    write_ct(Path("ct.nii.gz"))
    write_labels(Path("mask.nii.gz"))
    with known_network():
        yield tmp_path


def copy(source: str, target: str) -> Path:
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(Path(source).read_bytes())
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_names_that_are_not_utf8_are_kept_in_every_result(world: Path) -> None:
    ct, mask = copy("ct.nii.gz", f"{BAD}.nii.gz"), copy("mask.nii.gz", f"{BAD}_seg.nii.gz")
    assert main(["segment", "-i", str(ct), "-o", "o", "--report", "--format", "nifti", "nrrd"]) == 0
    assert sorted(p.name for p in Path("o").iterdir()) == sorted(
        f"{BAD}_{ending}" for ending in ("overlay.png", "report.html", "run.json", "seg.nii.gz", "seg.seg.nrrd")
    )
    manifest = json.loads((Path("o") / f"{BAD}_run.json").read_text(encoding="utf-8"))
    assert manifest["input"] == f"{BAD}.nii.gz"  # JSON's escapes give back the very name
    assert f"{BAD}_seg.nii.gz" in manifest["outputs"]
    page = (Path("o") / f"{BAD}_report.html").read_text(encoding="utf-8")
    assert "<h1>M\\udcfcller_Leber</h1>" in page
    assert main(["measure", "-i", str(ct), "-s", str(mask), "-o", "m"]) == 0
    assert main(["report", "-i", str(ct), "-s", str(mask), "-o", f"{BAD}.html"]) == 0
    assert main(["convert", "-i", str(mask), "-o", f"{BAD}.seg.nrrd"]) == 0
    assert main(["figures", "-i", str(ct), "--masks", str(mask), "-o", f"{BAD}_figures"]) == 0
    assert main(["evaluate", "-r", str(mask), "-p", str(mask), "-o", f"{BAD}_scores", "--no-surface"]) == 0
    assert rows(Path(f"{BAD}_scores") / "cases.csv")[0]["name"] == "M\\udcfcller_Leber"
    assert main(["info", str(ct), "--json"]) == 0


def test_folders_with_such_names_keep_their_tables(world: Path) -> None:
    for name in (BAD, "b"):
        copy("ct.nii.gz", f"scans/{name}.nii.gz")
        copy("mask.nii.gz", f"masks/{name}.nii.gz")
    Path("scans", f"{BAD}2.nii.gz").write_bytes(b"\x1f\x8bcut")
    assert main(["segment", "-i", "scans", "-o", "o", "--no-overlay"]) == 3
    assert [row["name"] for row in rows(Path("o/cohort.csv"))] == ["M\\udcfcller_Leber", "b"]
    assert [row["name"] for row in rows(Path("o/failures.csv"))] == ["M\\udcfcller_Leber2"]
    assert main(["measure", "-i", "scans", "-s", "masks", "-o", "m", "--no-overlay"]) == 0
    assert [row["name"] for row in rows(Path("m/cohort.csv"))] == ["M\\udcfcller_Leber", "b"]
    assert main(["evaluate", "-r", "masks", "-p", "masks", "-o", "e", "--no-surface", "--no-leaks"]) == 0


def test_a_joined_name_that_is_too_long_costs_its_own_scan(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deep = f"scans/{'a' * 130}/{'b' * 120}.nii.gz"
    copy("ct.nii.gz", deep)
    copy("ct.nii.gz", "scans/c.nii.gz")
    assert main(["segment", "-i", "scans", "-o", "o", "--no-overlay"]) == 3
    assert [row["name"] for row in rows(Path("o/cohort.csv"))] == ["c"]
    failed = rows(Path("o/failures.csv"))
    assert [(row["name"], row["exit_code"]) for row in failed] == [(f"{'a' * 130}__{'b' * 120}", "4")]
    assert "output name = 263 bytes: cannot be a file name here" in failed[0]["error"]
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("length", [244, 240, 200])
def test_a_name_as_long_as_the_file_system_allows(length: int, world: Path) -> None:
    """Temporary names must not be longer than the final ones."""
    name = "d" * length
    assert main(["convert", "-i", "mask.nii.gz", "-o", f"{name}.seg.nrrd"]) == 0
    assert main(["convert", "-i", "mask.nii.gz", "-o", f"{name}.{'e' * (248 - length)}.nii"]) == 0
    assert main(["report", "-i", "ct.nii.gz", "-s", "mask.nii.gz", "-o", f"{name}.html"]) == 0
    assert not [path for path in world.iterdir() if path.name.startswith(".partial")]


def test_a_name_longer_than_that_is_refused_before_anything_is_computed(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (
        ["segment", "-i", "ct.nii.gz", "-o", "d" * 250 + ".nii.gz"],
        ["convert", "-i", "mask.nii.gz", "-o", "d" * 250 + ".nii.gz"],
        ["report", "-i", "ct.nii.gz", "-s", "mask.nii.gz", "-o", "d" * 252 + ".html"],
    ):
        assert main(words) == 4
        said = capsys.readouterr().err
        assert "cannot be a file name here" in said
        assert "slices" not in said


def test_a_name_with_a_line_feed_stays_on_one_line(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy("ct.nii.gz", "scans/a\nb.nii.gz")
    Path("scans/c\x1b[31m.nii.gz").write_bytes(b"\x1f\x8bcut")
    assert main(["segment", "-i", "scans", "-o", "o", "--no-overlay"]) == 3
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert all(line.startswith(("[", "error: ", "info: ")) for line in said.splitlines())
    assert [row["name"] for row in rows(Path("o/cohort.csv"))] == ["a\nb"]


EMPTY = [
    ["segment", "-i", "", "-o", "o"], ["segment", "-i", "ct.nii.gz", "-o", ""], ["segment", "-i", "ct.nii.gz", "--output="],
    ["segment", "-i", "ct.nii.gz", "-o", "o", "-w", ""], ["segment", "-i", "ct.nii.gz", "-o", " "],
    ["measure", "-i", "", "-s", "mask.nii.gz", "-o", "o"], ["measure", "-i", "ct.nii.gz", "-s", "", "-o", "o"],
    ["convert", "-i", "mask.nii.gz", "-o", ""], ["report", "-i", "ct.nii.gz", "-s", "mask.nii.gz", "-o", ""], ["info", ""],
    ["evaluate", "-r", "", "-p", "mask.nii.gz", "-o", "o"], ["prepare", "lits", "", "-o", "o"], ["data", "check", ""],
    ["data", "check", ".", "--fix", ""], ["train", "-o", ""], ["models", "show", ""], ["figures", "--cases", "", "-o", "o"],
    ["models", "average", "fast", "", "-o", "o"], ["reproduce", "loss", "-d", "", "-o", "o"], ["demo", "-o", ""],
]  # fmt: skip


@pytest.mark.parametrize("words", EMPTY, ids=lambda words: " ".join(word or "''" for word in words))
def test_an_empty_argument_is_refused(words: list[str], world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(world.iterdir())
    assert main(words) == 2
    assert capsys.readouterr().err.rstrip().endswith("is empty; give a value, or leave it out")
    assert sorted(world.iterdir()) == before


RMAUNET = f"{sys.executable} -m rmaunet"
STREAMS = [  # what the shell is given, exit code, what standard output and standard error hold
    ("{} info ct.nii.gz --json <&-", 0, "NIfTI-1", ""),
    ("{} evaluate -r mask.nii.gz -p mask.nii.gz -o o --no-surface --no-leaks --json 2>&-", 0, "{", ""),
    ("{} info ct.nii.gz <&- >&- 2>&-", 0, "", ""),
    ("{} --help >&-", 0, "", ""),
    ("{} info ct.nii.gz >/dev/full", 4, "", "error: standard output: write = No space left on device: cannot be written"),
    ("{} --help >/dev/full", 4, "", "error: standard output"),
    ("{} nothing 2>/dev/full", 2, "", ""),
    ("set -o pipefail; {} --help | head -1", 0, "rmaunet", ""),
    ("PYTHONIOENCODING=cp437 {} gone_肝ä", 2, "", "gone_\\u809d"),
    ("LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 {} measure -s Leber_肝ä.nii.gz -o m", 0, "liver with tumor", "results in m"),
]  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_streams_that_are_closed_full_or_narrow(world: Path) -> None:
    copy("mask.nii.gz", "Leber_肝ä.nii.gz")
    running = [
        subprocess.Popen(
            ["bash", "-c", command.format(RMAUNET)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
        )
        for command, *_ in STREAMS
    ]  # fmt: skip
    for process, (command, code, out, err) in zip(running, STREAMS, strict=True):
        said, told = process.communicate()
        assert process.returncode == code, (command, told)
        assert out in said, command
        assert err in told, command
        assert "Traceback" not in told + said, command


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_stays_json_in_a_narrow_encoding(encoding: str, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("肝ä.nii.gz", f"{BAD}.nii.gz"):
        copy("ct.nii.gz", name)
        out = io.TextIOWrapper(io.BytesIO(), encoding, errors="backslashreplace")
        monkeypatch.setattr("sys.stdout", out)
        assert main(["info", name, "--json"]) == 0
        out.seek(0)
        assert json.loads(out.buffer.read().decode(encoding))["path"] == name


def test_the_scan_of_a_name_with_markup_is_text(world: Path) -> None:
    path = copy("ct.nii.gz", "a <b>&$x$.nii.gz")
    assert main(["segment", "-i", str(path), "-o", "o", "--report"]) == 0
    assert "<h1>a &lt;b&gt;&amp;$x$</h1>" in Path("o/a <b>&$x$_report.html").read_text(encoding="utf-8")
    assert np.asarray(nib.load("o/a <b>&$x$_seg.nii.gz").dataobj).max() == 2
