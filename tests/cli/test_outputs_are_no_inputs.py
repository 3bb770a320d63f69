"""Commands that write leave their inputs as they are, by whatever name or link an output leads to them."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rmaunet.cli.main import main
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, save_weights
from rmaunet.preprocess import Preprocessing
from small import known_network, write_ct, write_dicom, write_labels


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    write_ct(Path("ct.nii.gz"))
    write_labels(Path("mask.nii.gz"))
    write_labels(Path("mask.seg.nrrd"))
    with known_network():
        yield tmp_path


def hashes(*roots: Path) -> dict[str, str]:
    files = [path for root in roots for path in (root.rglob("*") if root.is_dir() else [root]) if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def link(target: str, name: str, *, hard: bool = False) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if hard:
        os.link(target, path)
    else:
        path.symlink_to(Path(target).absolute())
    return name


SEGMENT = ["segment", "-i", "ct.nii.gz", "--overwrite", "-o"]
CONVERT = ["convert", "-i", "mask.nii.gz", "-o"]
REPORT = ["report", "-i", "ct.nii.gz", "-s", "mask.nii.gz", "-o"]
MEASURE = ["measure", "-i", "ct.nii.gz", "-s", "mask.nii.gz", "-o"]
FIGURES = ["figures", "-i", "ct.nii.gz", "--masks", "mask.nii.gz", "-o"]
EVALUATE = ["evaluate", "-r", "mask.nii.gz", "-p", "mask.seg.nrrd", "--no-surface", "--no-leaks", "-o"]
REFUSED: dict[str, Callable[[], list[str]]] = {
    "segment itself": lambda: [*SEGMENT, "ct.nii.gz"],
    "segment spelled otherwise": lambda: [*SEGMENT, "./x/../ct.nii.gz" if Path("x").mkdir() is None else ""],
    "segment a link": lambda: [*SEGMENT, link("ct.nii.gz", "out.nii.gz")],
    "segment a hard link": lambda: [*SEGMENT, link("ct.nii.gz", "out.nii.gz", hard=True)],
    "segment, the mask in a folder": lambda: [*SEGMENT, str(Path(link("ct.nii.gz", "o/ct_seg.nii.gz")).parent)],
    "segment, the picture": lambda: [*SEGMENT, str(Path(link("ct.nii.gz", "o/ct_overlay.png", hard=True)).parent)],
    "segment, the manifest": lambda: [*SEGMENT, str(Path(link("ct.nii.gz", "o/ct_run.json")).parent)],
    "segment, the report": lambda: [*SEGMENT, str(Path(link("ct.nii.gz", "o/ct_report.html")).parent), "--report"],
    "segment, a link as input": lambda: [
        "segment",
        "-i",
        link("ct.nii.gz", "alias.nii.gz"),
        "-o",
        "ct.nii.gz",
        "--overwrite",
    ],
    "convert itself": lambda: [*CONVERT, "mask.nii.gz"],
    "convert a hard link": lambda: [*CONVERT, link("mask.nii.gz", "new.nii.gz", hard=True)],
    "convert, its CT": lambda: ["convert", "-i", "mask.seg.nrrd", "--like", "ct.nii.gz", "-o", "ct.nii.gz"],
    "report": lambda: [*REPORT, link("mask.nii.gz", "page.html")],
    "measure, a table": lambda: [*MEASURE, str(Path(link("mask.nii.gz", "m/lesions.csv", hard=True)).parent)],
    "measure, the manifest": lambda: [*MEASURE, str(Path(link("ct.nii.gz", "m/run.json")).parent)],
    "figures": lambda: [*FIGURES, str(Path(link("mask.nii.gz", "f/contours.png")).parent)],
    "evaluate": lambda: [*EVALUATE, str(Path(link("mask.nii.gz", "e/cases.csv", hard=True)).parent)],
}


@pytest.mark.parametrize("way", REFUSED)
def test_an_output_that_is_an_input(way: str, world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = REFUSED[way]()
    before = hashes(world)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "is one of the inputs, which are never changed; choose another name or folder" in said
    assert "slices" not in said  # nothing was computed
    assert hashes(world) == before


def test_slices_of_a_series_and_its_folder(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    series = write_dicom(Path("dcm"))
    link("dcm", "alias")
    before = hashes(series)
    for out, text in (
        ("dcm/003.dcm", "is the folder of the input"),
        ("alias/003.dcm", "is the folder of the input"),
        (link("dcm/003.dcm", "out.dcm"), "is one of the inputs"),
        ("dcm", "is the folder of the scans"),
        ("alias", "is the folder of the scans"),
    ):
        assert main(["segment", "-i", "dcm", "-o", out, "--overwrite", "--no-overlay"]) == 2, out
        assert text in capsys.readouterr().err
    one = ["segment", "-i", "dcm/003.dcm", "-o", "dcm/003.dcm", "--overwrite", "--no-overlay"]
    assert main(one) == 2
    assert "is one of the inputs" in capsys.readouterr().err
    assert hashes(series) == before
    assert main(["segment", "-i", "dcm", "-o", "dcm/results", "--no-overlay"]) == 0
    assert main(["segment", "-i", "dcm", "-o", "dcm/results", "--no-overlay", "--overwrite"]) == 0
    assert hashes(*series.glob("*.dcm")) == before


def test_results_of_one_scan_are_replaced_only_when_asked(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, files in (
        (["-o", "o"], ("o/ct_seg.nii.gz", "o/ct_overlay.png", "o/ct_run.json")),
        (["-o", "m.nii.gz"], ("m.nii.gz", "m_overlay.png", "m_run.json")),
    ):
        assert main(["segment", "-i", "ct.nii.gz", *words]) == 0
        for file in files:
            for other in files:
                Path(other).touch() if other == file else Path(other).unlink(missing_ok=True)
            Path(file).write_text("somebody's")
            capsys.readouterr()
            assert main(["segment", "-i", "ct.nii.gz", *words]) == 4
            said = capsys.readouterr().err
            assert said == f"error: {file}: output: exists already; choose another name, or add --overwrite\n"
            assert Path(file).read_text() == "somebody's"
        assert main(["segment", "-i", "ct.nii.gz", *words, "--overwrite"]) == 0
        assert Path(files[-1]).read_text() != "somebody's"


def test_a_cohort_keeps_its_scans(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        write_ct(Path(f"scans/{name}.nii.gz"))
    before = hashes(Path("scans"))
    link("scans", "alias")
    words = ["segment", "--no-overlay", "-i"]
    for out in ("scans", "alias"):
        assert main([*words, "scans", "-o", out]) == 2
        assert main([*words, "alias", "-o", out]) == 2
    link("scans/b.nii.gz", "o/a_seg.nii.gz", hard=True)
    assert main([*words, "scans", "-o", "o"]) == 2
    assert "is one of the inputs" in capsys.readouterr().err
    write_ct(Path("scans/more/c.nii.gz"))
    assert main([*words, "scans", "-o", "scans/more"]) == 2
    assert "holds 1 scans itself, first c.nii.gz" in capsys.readouterr().err
    assert main([*words, "scans", "-o", "one.nii.gz"]) == 2
    assert "is one file, and scans is a folder of image files (3); give a folder" in capsys.readouterr().err
    Path("scans/more/c.nii.gz").unlink()
    assert main([*words, "scans", "-o", "scans/results"]) == 0
    capsys.readouterr()
    assert main([*words, "scans", "-o", "scans/results", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kept"] == ["a", "b"]
    assert {name: digest for name, digest in hashes(Path("scans")).items() if "results" not in name} == before


def test_measuring_folders_keeps_them(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_ct(Path("scans/a.nii.gz"))
    write_labels(Path("masks/a.nii.gz"))
    before = hashes(Path("scans"), Path("masks"))
    link("masks", "alias")
    for out in ("masks", "scans", "alias"):
        assert main(["measure", "-i", "scans", "-s", "masks", "-o", out]) == 2
        assert "is the folder of the input; give another folder" in capsys.readouterr().err
    link("masks/a.nii.gz", "o/a/measures.csv", hard=True)
    assert main(["measure", "-i", "scans", "-s", "masks", "-o", "o"]) == 2
    assert "is one of the inputs" in capsys.readouterr().err
    assert hashes(Path("scans"), Path("masks")) == before


def test_data_sets_are_kept(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_ct(Path("lits/volume-0.nii.gz"))
    write_labels(Path("lits/segmentation-0.nii.gz"))
    before = hashes(Path("lits"))
    link("lits", "alias")
    link("lits/volume-0.nii.gz", "fixed/volume-0.nii.gz", hard=True)
    link("lits/segmentation-0.nii.gz", "store/images.u8")
    for words, text in (
        (["data", "check", "lits", "--fix", "lits"], "overlaps the data set"),
        (["data", "check", "lits", "--fix", "alias"], "overlaps the data set"),
        (["data", "check", "lits", "--fix", "fixed"], "is one of the inputs"),
        (["prepare", "lits", "lits", "-o", "lits"], "is the folder of the input"),
        (["prepare", "lits", "lits", "-o", "alias"], "is the folder of the input"),
        (["prepare", "lits", "lits", "-o", "store"], "is one of the inputs"),
        (["reproduce", "loss", "-d", "lits", "-o", "alias", "--dry-run"], "is the folder of the input"),
    ):
        capsys.readouterr()
        assert main(words) == 2, words
        assert text in capsys.readouterr().err, words
        assert hashes(Path("lits")) == before


def test_weights_are_kept(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    settings = NetworkSettings(base=2)
    network = build_network(settings)
    card = ModelCard(name="tiny", network=settings, preprocessing=Preprocessing(size=32))
    for name in ("a", "b"):
        save_weights(Path(name), network, card)
    torch.save(network.state_dict(), "w.pt")
    link("a", "alias")
    link("a/model.safetensors", "c/model.safetensors", hard=True)
    before = hashes(Path("a"), Path("b"), Path("w.pt"))
    for words in (
        ["average", "a", "b", "-o", "a"],
        ["average", "a", "b", "-o", "alias"],
        ["average", "a", "b", "-o", "b"],
        ["average", "a", "b", "-o", "c"],
        ["cascade", "a", "b", "-o", "b"],
        ["import", "w.pt", "--card", "a/card.json", "-o", "a"],
    ):
        assert main(["models", *words]) == 2, words
        assert "is one of the inputs" in capsys.readouterr().err, words
    Path("run").mkdir()
    Path("run/experiment.json").write_text('{"name": "t", "training": {"steps": 2}}')
    write_ct(Path("lits/volume-0.nii.gz"))
    for words in (
        ["--config", "run/experiment.json", "-o", "run"],  # it would be written anew, with every default
        ["--start", "a", "-o", "other"],
    ):
        if "--start" in words:
            Path("other").mkdir()
            link("a", "other/weights")
        assert main(["train", "--data", "store", *words]) == 2, words
        assert "is one of the inputs" in capsys.readouterr().err, words
    assert hashes(Path("a"), Path("b"), Path("w.pt")) == before
