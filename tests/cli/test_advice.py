"""Advice names options that the command has, and what a command cannot do is refused before it computes."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from rmaunet.cli import (
    convert,
    data_check,
    data_overlap,
    demo,
    doctor,
    evaluate,
    figures,
    info,
    measure,
    models,
    prepare,
    report,
    reproduce,
    segment,
    train,
)
from rmaunet.cli.main import main
from rmaunet.cli.parse import option_names
from small import CT, known_network, write_ct, write_dicom, write_labels

SOURCE = Path(__file__).parents[2] / "src" / "rmaunet"
KINDS = {
    "segment": segment.Segment, "measure": measure.Measure, "report": report.Report, "convert": convert.Convert,
    "info": info.Info, "figures": figures.Figures, "evaluate": evaluate.Evaluate, "prepare": prepare.Prepare,
    "data check": data_check.Check, "data overlap": data_overlap.Overlaps, "train": train.Train, "demo": demo.Demo,
    "reproduce": reproduce.Reproduce, "doctor": doctor.Doctor,
    **{f"models {name}": kind for name, kind in models.ACTIONS.items()},
}  # fmt: skip
OPTIONS = {name: option_names(kind) | {"--help", "--debug", "--quiet"} for name, kind in KINDS.items()}
READERS = {"--label", "--volume", "--series", "--hu-offset"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Files that need an option each: two volumes, two series, values 5 and 7, HU + 1024, and sets of them."""
    monkeypatch.chdir(tmp_path)
    write_ct(Path("ct.nii.gz"))
    write_labels(Path("ref.nii.gz"))
    write_ct(Path("pos.nii.gz"), plus=1024)
    image = nib.load("ct.nii.gz")
    values = np.asarray(image.dataobj)
    nib.save(nib.Nifti1Image(np.stack([values - 1, values], 3), image.affine), "ct4.nii.gz")
    labels = np.asarray(nib.load("ref.nii.gz").dataobj)
    nib.save(nib.Nifti1Image(np.choose(labels, [0, 5, 7]).astype(np.uint8), image.affine), "five.nii.gz")
    write_dicom(Path("two/a"))
    write_dicom(Path("two/b"), CT.with_array(CT.array + np.int16(1)))
    for name, ct, mask in (("set5", "ct", "five"), ("set4", "ct4", "ref"), ("setpos", "pos", "ref")):
        Path(name).mkdir()
        Path(name, "volume-0.nii.gz").write_bytes(Path(f"{ct}.nii.gz").read_bytes())
        Path(name, "segmentation-0.nii.gz").write_bytes(Path(f"{mask}.nii.gz").read_bytes())
    with known_network():
        yield tmp_path


CASES = [
    *((command, words.split()) for command in ("segment", "report", "measure", "figures", "convert") for words in {
        "segment": ("-i ct4.nii.gz -o o", "-i two -o o", "-i pos.nii.gz -o o --no-overlay"),
        "report": ("-i ct4.nii.gz -s ref.nii.gz -o r.html", "-i two -s ref.nii.gz -o r.html",
                   "-i ct.nii.gz -s five.nii.gz -o r.html", "-i pos.nii.gz -s ref.nii.gz -o r.html"),
        "measure": ("-i ct4.nii.gz -s ref.nii.gz -o m", "-i two -s ref.nii.gz -o m", "-i ct.nii.gz -s five.nii.gz -o m",
                    "-i pos.nii.gz -s ref.nii.gz -o m --no-overlay"),
        "figures": ("-i ct4.nii.gz --masks ref.nii.gz -o f", "-i two --masks ref.nii.gz -o f",
                    "-i ct.nii.gz --masks five.nii.gz -o f", "-i pos.nii.gz --masks ref.nii.gz -o f"),
        "convert": ("-i five.nii.gz -o c.nii.gz", "-i ref.nii.gz --like ct4.nii.gz -o c.nii.gz",
                    "-i ref.nii.gz --like two -o c.nii.gz", "-i ref.nii.gz --like pos.nii.gz -o c.nii.gz"),
    }[command]),
    ("info", ["ct4.nii.gz"]), ("info", ["two"]), ("info", ["pos.nii.gz"]), ("info", ["."]),
    ("evaluate", ["-r", "ref.nii.gz", "-p", "five.nii.gz", "-o", "e", "--no-leaks"]),
    ("evaluate", ["-r", "five.nii.gz", "-p", "ref.nii.gz", "-o", "e", "--no-leaks"]),
    ("evaluate", ["-r", "set4/segmentation-0.nii.gz", "-p", "ref.nii.gz", "-o", "e", "--no-surface", "--weights", "fast",
                  "--scans", "set4"]),
    *((command, [*layout, name, *more]) for name in ("set5", "set4", "setpos") for command, layout, more in (
        ("data check", [], []), ("prepare", ["lits"], ["-o", "store", "--size", "32"]), ("data overlap", [], []))),
    ("data overlap", ["two"]),
    ("reproduce", ["loss", "-d", "set4", "-o", "r", "--dry-run", "--no-timing"]),
]  # fmt: skip


@pytest.mark.parametrize(("command", "words"), CASES, ids=[" ".join([c, *w]) for c, w in CASES])
def test_every_option_that_a_message_names_exists(
    command: str, words: list[str], world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*command.split(), *words])
    said = capsys.readouterr()
    text = re.sub(r"`rmaunet [^`]*`", "", said.out + said.err)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= OPTIONS[command], text
    assert "Traceback" not in text


def run(words: str) -> int:
    return main(words.split())


def test_the_advice_helps(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The options named lead to the right answer."""
    mapped = "--label 5=liver 7=tumor"
    assert run(f"measure -i ct4.nii.gz -s five.nii.gz --volume 1 {mapped} -o m --no-overlay") == 0
    assert run("measure -i pos.nii.gz -s ref.nii.gz --hu-offset -1024 -o n --no-overlay") == 0
    assert run("measure -i ct.nii.gz -s ref.nii.gz -o w --no-overlay") == 0
    found = [json.loads(Path(folder, "measures.json").read_text()) for folder in "wmn"]
    assert found[0] | {"name": ""} == found[1] | {"name": ""} == found[2] | {"name": ""}
    assert run("convert -i ref.nii.gz --like ct4.nii.gz --volume 0 -o c.nii.gz") == 0
    assert run(f"figures -i ct4.nii.gz --volume 1 --masks ref.nii.gz five.nii.gz {mapped} -o f") == 0
    assert run("info ct4.nii.gz --volume 1 --hu-offset 3") == 0
    for words in (f"-r ref.nii.gz -p five.nii.gz {mapped}", f"-r five.nii.gz -p ref.nii.gz --reference-{mapped[2:]}"):
        capsys.readouterr()
        assert run(f"evaluate {words} -o e --no-leaks --no-surface") == 0
        assert "liver dice 1.0000, tumor dice 1.0000" in capsys.readouterr().err
    assert run("evaluate -r five.nii.gz -p ref.nii.gz -o e --no-leaks") == 3
    assert "map them, e.g. --reference-label 5=liver" in capsys.readouterr().err
    assert run(f"data check set5 {mapped} --fix fixed") == 0
    counts = [np.bincount(np.asarray(nib.load(name).dataobj).ravel()).tolist()
              for name in ("fixed/segmentation-0.nii.gz", "ref.nii.gz")]  # fmt: skip
    assert counts[0] == counts[1]
    assert run(f"prepare lits set5 -o store --size 32 {mapped}") == 0


def texts(path: Path) -> Iterator[tuple[str, bool]]:
    """String literals of a file that are no docstrings, and whether they stand in a call of ``advise``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told, described = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "advise":
            told |= {id(part) for part in ast.walk(node)}
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            described.add(id(node.value))
    # A text that is kept in a name first is advice as well: `text = "choose one with --volume K"`.
    names = {arg.id for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "advise"
             for arg in node.args if isinstance(arg, ast.Name)}  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in names:
            told |= {id(part) for part in ast.walk(node)}
    inside = set()
    for node in ast.walk(tree):  # an f-string is one text: a command in backticks may have a value in its middle
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            parts = [str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values]
            yield "".join(parts), id(node) in told
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described | inside:
            yield node.value, id(node) in told


def test_readers_name_their_options_through_advise() -> None:
    known = set().union(*OPTIONS.values())
    for path in SOURCE.rglob("*.py"):
        if path.is_relative_to(SOURCE / "cli"):
            continue
        for text, advised in texts(path):
            named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"`rmaunet [^`]*`", "", text)))
            assert advised or not named & READERS, f"{path.name}: {text}"
            foreign = path.name in ("example_scan.py", "machine.py")  # options of pip and git
            assert foreign or named <= known, f"{path.name}: {text}"


def test_commands_name_only_their_own_options() -> None:
    for path in (SOURCE / "cli").glob("*.py"):
        own = [options for name, options in OPTIONS.items() if name.replace(" ", "_") in (path.stem, f"models_{path.stem}")
               or name.split()[0] == path.stem]  # fmt: skip
        if not own:
            continue
        for text, _ in texts(path):
            named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"`rmaunet [^`]*`", "", text)))
            other = {"--all-slices"} if path.stem == "bench" else set()  # words for `segment`, which it starts
            assert named <= set().union(*own) | other, f"{path.name}: {text}"


REFUSED = [
    ("segment -i ct.nii.gz -o x.seg.dcm", 2, "a DICOM SEG needs a DICOM CT, and ct.nii.gz is nifti"),
    ("segment -i ct.nii.gz -o o --format dicom-seg", 2, "a DICOM SEG needs a DICOM CT"),
    ("segment -i ct.nii.gz -o out.stl", 2, "ends in .stl, and the results are a folder; end the name in .nii.gz"),
    ("segment -i ct.nii.gz -o out.mha", 2, "ends in .mha"),
    ("segment -i ct.nii.gz -o out.nii.bz2", 2, "ends in .bz2"),
    ("segment -i two/a -o x.rtstruct.dcm", 2, "suffix = .rtstruct.dcm: names a kind of file that is not written here"),
    ("segment -i two/a -o x.RTSTRUCT.DCM", 2, "suffix = .rtstruct.dcm"),
    ("segment -i two/a -o x.sr.dcm", 2, "suffix = .sr.dcm"),
    ("convert -i ref.nii.gz -o x.rtstruct.dcm --like two/a", 2, "suffix = .rtstruct.dcm"),
    ("convert -i ref.nii.gz -o x.seg.dcm --like ct.nii.gz", 2, "a DICOM SEG needs a DICOM CT"),
    ("convert -i ref.nii.gz -o out.stl", 2, "suffix = .stl: is no mask format"),
    ("segment -i ct.nii.gz -o x.nii.gz --format nifti nrrd", 2, "does not fit the one file x.nii.gz; give a folder"),
    ("segment -i ct.nii.gz -o x.nii.gz --format nrrd", 2, "does not fit the one file"),
    ("measure -i ct.nii.gz -s ref.nii.gz -o out.csv", 2, "ends in .csv, and the results are a folder; end it in /"),
    ("evaluate -r ref.nii.gz -p ref.nii.gz -o out.csv", 2, "ends in .csv"),
    ("figures -i ct.nii.gz --masks ref.nii.gz -o out.png", 2, "ends in .png"),
    ("prepare lits set5 -o out.h5", 2, "ends in .h5"),
    ("data check set5 --fix out.zip", 2, "data check: --fix = out.zip: ends in .zip"),
    ("models average fast fast -o out.pt", 2, "ends in .pt"),
    ("train -o run.zip --data store", 2, "ends in .zip"),
    ("reproduce loss -d set5 -o out.csv --dry-run", 2, "ends in .csv"),
    ("segment -i ct.nii.gz -o o --device gpu", 2,
     "segment: --device = gpu: is no device; did you mean cuda? use auto, cpu, cuda, cuda:N or mps"),
    ("segment -i ct.nii.gz -o o --device cuda:x", 2, "is no device"),
    ("segment -i ct.nii.gz -o o --device CPU", 2, "is no device"),
    ("train -o run --data store --device gpu", 2, "train: --device = gpu: is no device"),
    ("train -o run --data store --device auto", 2, "is no device; use cpu, cuda, cuda:N or mps"),
    ("reproduce loss -d set5 -o r --device gpu --dry-run", 2, "reproduce: --device = gpu: is no device"),
    ("segment -i ct.nii.gz -o o -w nothing", 5, "nothing: weights = nothing: not found"),
    ("segment -i ct.nii.gz -o o --max-memory lots", 2, "--max-memory = lots: is no amount of memory"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "code", "text"), REFUSED, ids=[words for words, *_ in REFUSED])
def test_what_cannot_be_done_is_refused_before_anything_is_computed(
    words: str, code: int, text: str, world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(path for path in world.rglob("*") if path.is_file())
    assert main(words.split()) == code
    said = capsys.readouterr().err
    assert text in said
    assert said.count("\n") == 1
    assert said.startswith("error: ")
    assert "slices" not in said
    assert sorted(path for path in world.rglob("*") if path.is_file()) == before


def test_a_folder_may_have_any_name_that_is_meant(world: Path) -> None:
    Path("there.stl").mkdir()
    for out in ("there.stl", "new.stl/", "run.2", "model.v2"):
        assert main(["segment", "-i", "ct.nii.gz", "-o", out, "--no-overlay"]) == 0
        assert (Path(out) / "ct_seg.nii.gz").is_file()


def test_a_cohort_with_other_formats_fails_scan_by_scan(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_ct(Path("scans/a.nii.gz"))
    write_dicom(Path("scans/b"))
    assert main(["segment", "-i", "scans", "-o", "o", "--format", "dicom-seg", "--no-overlay"]) == 3
    said = capsys.readouterr()
    assert "error: a: " in said.err
    assert "a DICOM SEG needs a DICOM CT" in said.err
    assert Path("o/b_seg.dcm").is_file()
