"""A full disk (a limit on the size of files) ends every command with exit 4, one clear line, and nothing half-written."""

import json
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from rmaunet.cli.main import main
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.io import GridSource, Scan, write_mask, write_volume
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, save_weights
from rmaunet.preprocess import Preprocessing

SETTINGS = NetworkSettings(base=1)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """What a full disk does to a writer: the bytes beyond ``size`` are refused."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("world")
    made = phantom(seed=1, shape=(16, 48, 48))
    for folder, name in (("scans", "a"), ("scans", "b")):
        write_volume(made.ct, root / folder / f"{name}.nii.gz")
        write_mask(made.mask, root / "masks" / f"{name}.nii.gz", like=Scan(made.ct, "a", GridSource(root)))
    for number in (27, 29):
        one = phantom(seed=number, shape=(16, 48, 48))
        write_volume(one.ct, root / "lits" / f"volume-{number}.nii")
        write_mask(one.mask, root / "lits" / f"segmentation-{number}.nii", like=Scan(one.ct, "a", GridSource(root)))
    torch.manual_seed(1)  # an unlucky network makes a mask larger than its manifest
    save_weights(root / "w", build_network(SETTINGS), ModelCard("w", SETTINGS, Preprocessing(size=32)))
    torch.save(build_network(SETTINGS).state_dict(), root / "x.pt")
    small = {"name": "t", "network": {"base": 1}, "preprocessing": {"size": 32}, "training": {"steps": 2, "batch": 2}}
    (root / "t.json").write_text(json.dumps(small))
    assert main(["prepare", "lits", str(root / "lits"), "-o", str(root / "store"), "--size", "32", "--json"]) == 0
    return root


COMMANDS = {
    "segment": "segment -i scans/a.nii.gz -o OUT -w w",
    "segment's picture": "segment -i scans/a.nii.gz -o OUT -w w",
    "segment's report": "segment -i scans/a.nii.gz -o OUT -w w --report --no-overlay",
    "a folder": "segment -i scans -o OUT -w w --no-overlay",
    "convert to NIfTI": "convert -i masks/a.nii.gz -o OUT/m.nii",
    "convert to Slicer": "convert -i masks/a.nii.gz -o OUT/m.seg.nrrd",
    "measure": "measure -i scans/a.nii.gz -s masks/a.nii.gz -o OUT",
    "measure's tables": "measure -i scans -s masks -o OUT --no-overlay",
    "report": "report -i scans/a.nii.gz -s masks/a.nii.gz -o OUT/r.html",
    "evaluate": "evaluate -r masks -p masks -o OUT",
    "prepare": "prepare lits lits -o OUT --size 32",
    "train": "train --data store --config t.json -o OUT",
    "models import": "models import x.pt --card w/card.json -o OUT",
}
LIMITS = {"segment's picture": 4000, "segment's report": 4000, "measure's tables": 300, "evaluate": 50}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk(
    name: str, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world)
    out = tmp_path / "o"
    words = [str(out) + word[3:] if word.startswith("OUT") else word for word in COMMANDS[name].split()]
    capsys.readouterr()
    limit = LIMITS.get(name, 200)
    with files_of_at_most(limit):
        code = main(words)
    said = capsys.readouterr()
    errors = [line for line in said.err.splitlines() if line.startswith("error: ")]
    assert (code, len(errors)) == (4, 1), said.err
    assert "Traceback" not in said.err
    left = [path for path in out.rglob("*") if path.is_file()] if out.exists() else []
    assert all(path.stat().st_size < limit for path in left), left
    assert not [path for path in left if path.name.startswith(".partial-") or path.name == "run.lock"]
    assert not list(out.rglob("*.safetensors"))


def test_an_older_result_is_untouched(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mask = tmp_path / "m.nii.gz"
    words = ["convert", "-i", str(world / "masks" / "a.nii.gz"), "-o", str(mask)]
    assert main(words) == 0
    before = mask.read_bytes()
    with files_of_at_most(100):
        code = main(words)
    assert code == 4
    assert "cannot be written" in capsys.readouterr().err
    assert mask.read_bytes() == before
    assert list(tmp_path.iterdir()) == [mask]


PARTS = {
    "overlay": ("a_overlay.png", []),
    "report": ("a_report.html", ["--no-overlay", "--report"]),
    "manifest": ("a_run.json", ["--no-overlay"]),
}


@pytest.mark.parametrize("given", ["one scan", "a folder"])
@pytest.mark.parametrize("part", PARTS)
def test_a_disk_full_after_the_mask(
    part: str, given: str, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, options = PARTS[part]
    scans = world / "scans" / "a.nii.gz" if given == "one scan" else world / "scans"
    out, whole = tmp_path / "o", tmp_path / "whole"
    words = ["segment", "-i", str(scans), "-w", str(world / "w"), *options]
    assert main([*words, "-o", str(whole)]) == 0
    # A manifest's times have more or fewer digits from run to run.
    mask, limit = (whole / "a_seg.nii.gz").stat().st_size, int(0.9 * (whole / name).stat().st_size)
    assert mask < limit
    capsys.readouterr()
    with files_of_at_most(limit):
        code = main([*words, "-o", str(out)])
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert (code, len(errors)) == (4, 1), errors
    assert errors[0].startswith(f"error: {out / name}: file = File too large: cannot be written; free space")
    left = {path.name for path in out.iterdir()}
    assert left == (set() if given == "one scan" else {"cohort.csv", "failures.csv"})
    assert (out / "cohort.csv").read_text() == "name\n" if given == "a folder" else True


def test_older_results_come_back_when_one_of_several_cannot_be_written(world: Path, tmp_path: Path) -> None:
    out = tmp_path / "o"
    words = ["segment", "-i", str(world / "scans" / "a.nii.gz"), "-o", str(out), "-w", str(world / "w")]
    assert main(words) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    inode = (out / "a_seg.nii.gz").stat().st_ino
    limit = len(before["a_overlay.png"]) - 1
    with files_of_at_most(limit):
        assert main([*words, "--overwrite"]) == 4
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert (out / "a_seg.nii.gz").stat().st_ino == inode
    assert main(words) == 4  # without --overwrite an older result stays
    assert (out / "a_seg.nii.gz").stat().st_ino == inode
    assert main([*words, "--overwrite"]) == 0
    assert sorted(path.name for path in out.iterdir()) == sorted(before)
    assert (out / "a_seg.nii.gz").stat().st_ino != inode
