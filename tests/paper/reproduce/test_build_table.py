"""The whole road on phantoms in LiTS's layout: data to table; twice; killed on the way; on wrong data."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from made_lits import STEPS, ircadb_cases, make_lits, shrink
from rmaunet.cli.main import main
from rmaunet.core.errors import InputError, OutputError
from rmaunet.core.runs import locked
from rmaunet.core.volume import axial, make_volume
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.io import read_mask, read_volume, write_mask, write_volume
from rmaunet.metrics import evaluate_case
from rmaunet.paper.reported import TABLES
from rmaunet.paper.reproduce.build_table import reproduce, score_plan
from rmaunet.paper.reproduce.plan import find_data, make_plan
from rmaunet.paper.reproduce.request import Request
from rmaunet.paper.reproduce.slice_figures import reproduce_figure
from rmaunet.paper.reproduce.test_leaks import with_leaks

EXPERIMENTS = ("rmaunet_ce", "rmaunet_ce-dice", "rmaunet")  # Table 6


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)


@pytest.fixture(scope="module")
def lits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_lits(tmp_path_factory.mktemp("data") / "LiTS")


@pytest.fixture(scope="module")
def whole(lits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Table 6 made without a stop."""
    out = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        reproduce("loss", Request((lits,), out))
    return out


def state(folder: Path) -> dict[str, int]:
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in sorted(folder.rglob("*")) if p.is_file()}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_row_is_trained_tested_and_written(whole: Path) -> None:
    for name in EXPERIMENTS:
        folder = whole / "runs" / name / "seed0"
        assert json.loads((folder / "weights" / "card.json").read_text())["training"]["steps"] == STEPS
        assert sorted(p.name for p in (folder / "test-lits").glob("*.nii.gz")) == ["volume-0.nii.gz", "volume-1.nii.gz"]
    lines = rows(whole / "tables" / "table6.csv")
    assert len(lines) == 3 * 2 * 3
    assert {line["experiment"] for line in lines} == set(EXPERIMENTS)
    assert {line["n"] for line in lines if line["measure"] == "dice"} == {"2"}


def test_the_numbers_are_those_of_the_masks(whole: Path, lits: Path) -> None:
    case = rows(whole / "tables" / "table6_cases.csv")[0]
    mask = read_mask(whole / "runs" / case["experiment"] / "seed0" / "test-lits" / f"{case['name']}.nii.gz")
    reference = read_mask(lits / f"{case['name'].replace('volume', 'segmentation')}.nii.gz")
    again = evaluate_case(reference, mask, name=case["name"])
    assert float(case["liver_dice"]) == again.liver_dice
    assert float(case["tumor_voe"]) == again.tumor_voe
    mean = next(
        line for line in rows(whole / "tables" / "table6.csv") if (line["organ"], line["measure"]) == ("liver", "dice")
    )
    mine = [float(c["liver_dice"]) for c in rows(whole / "tables" / "table6_cases.csv")[:2]]
    assert float(mean["mean"]) == pytest.approx(sum(mine) / 2)


def test_the_papers_numbers_stand_beside_ours_and_never_in_their_place(whole: Path) -> None:
    for line in rows(whole / "tables" / "table6.csv"):
        reported = next(r for r in TABLES["table6"].rows if r.variant.replace("_", "-") in (
            line["experiment"].removeprefix("rmaunet_"), "focal-dice" if line["experiment"] == "rmaunet" else ""))  # fmt: skip
        value = getattr(reported, f"{line['organ']}_{line['measure']}")
        assert float(line["as_reported_mean"]) == value.mean
        assert line["mean"] == "" or float(line["mean"]) != value.mean
    for suffix in (".md", ".tex"):
        text = (whole / "tables" / f"table6{suffix}").read_text()
        assert text.count("DSC as reported") == 2
        assert "0.9552" in text
        assert "Jiang et al." in text


def test_the_manifest_names_every_source(whole: Path) -> None:
    content = json.loads((whole / "tables" / "table6.json").read_text())
    assert [run["experiment"]["name"] for run in content["inputs"]["runs"]] == list(EXPERIMENTS)
    for run in content["inputs"]["runs"]:
        assert run["trained_on"] == ["volume-27", "volume-28"]
        assert all(len(v) == 64 for source in run["cases"].values() for v in source.values())
    assert content["machine"]["torch"]


def test_a_second_run_does_nothing(whole: Path, lits: Path) -> None:
    before, said = state(whole), []
    made = reproduce("loss", Request((lits,), whole), said.append)
    assert [one.fresh for one in made] == [False]
    assert state(whole) == before
    assert said == ["table6: unchanged, nothing to do"]


@pytest.mark.parametrize("at", ["[2/3] rmaunet_ce-dice seed 0: training", "rmaunet_ce seed 0: test [1/2]"])
def test_killed_on_the_way_and_called_again_gives_the_same_table(
    at: str, whole: Path, lits: Path, tmp_path: Path
) -> None:
    def stop(text: str) -> None:
        if text.startswith(at):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reproduce("loss", Request((lits,), tmp_path), stop)
    assert not (tmp_path / "tables").exists()
    said: list[str] = []
    reproduce("loss", Request((lits,), tmp_path), said.append)
    assert not any(text.startswith("[1/3]") for text in said), "the first run was trained twice"
    for name in ("table6.csv", "table6.md", "table6_cases.csv"):
        assert (tmp_path / "tables" / name).read_bytes() == (whole / "tables" / name).read_bytes()


def test_what_has_changed_is_made_again_and_nothing_else(whole: Path, lits: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    mask = out / "runs" / "rmaunet" / "seed0" / "test-lits" / "volume-1.nii.gz"
    mask.write_bytes(b"damaged")
    said: list[str] = []
    reproduce("loss", Request((lits,), out), said.append)
    (line,) = [text for text in said if "test [" in text]
    assert line.startswith("rmaunet seed 0: test [2/2] volume-1:")
    assert mask.read_bytes() == (whole / mask.relative_to(out)).read_bytes()


def test_seeds_of_different_number_a_row_are_told(whole: Path, lits: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    request = Request((lits,), out, seeds=2, train=False)
    seed1 = out / "runs" / "rmaunet" / "seed1"
    shutil.copytree(out / "runs" / "rmaunet" / "seed0", seed1)
    experiment = json.loads((seed1 / "experiment.json").read_text())
    (seed1 / "experiment.json").write_text(json.dumps({**experiment, "seed": 1}))
    shutil.rmtree(out / "runs" / "rmaunet_ce-dice")
    reproduce("loss", request)
    lines = {line["experiment"]: line for line in rows(out / "tables" / "table6.csv")}
    assert [lines[name]["seeds"] for name in EXPERIMENTS] == ["1", "0", "2"]
    text = (out / "tables" / "table6.md").read_text()
    assert "not the same number in every row" in text
    assert "not trained" in text
    assert float(lines["rmaunet"]["sd_between_seeds"]) == 0  # the copy has the same weights
    assert lines["rmaunet_ce"]["sd_between_seeds"] == ""


def test_runs_of_another_experiment_are_refused_before_any_work(whole: Path, lits: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    before = state(out)
    with pytest.raises(InputError, match=r"preprocessing = window_hu.*use another -o"):
        reproduce("loss", Request((lits,), out, window_hu=(-40.0, 160.0)))
    path = out / "runs" / "rmaunet" / "seed0" / "manifest.json"
    path.write_text(path.read_text().replace("volume-27", "volume-99"))
    with pytest.raises(InputError, match=r"training cases = volume-27, volume-99"):
        reproduce("loss", Request((lits,), out))
    assert set(state(out)) == set(before)


def test_a_folder_in_use_is_refused(lits: Path, tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(OutputError, match="another run uses this folder"):
        reproduce("loss", Request((lits,), tmp_path))


def test_patients_of_the_training_set_are_named_and_marked(
    lits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiTS 28 is 3D-IRCADb's patient 1: Table 8 by the paper's protocol leaks it, by the clean one not."""
    from rmaunet.datasets import lits as reader
    from rmaunet.paper.reproduce import build_table as make

    data = {"lits": tuple(reader.cases(lits)), "ircadb": ircadb_cases(tmp_path / "ircadb", (1, 2))}
    paper = make_plan("table8", Request((lits,), tmp_path), data)
    clean = make_plan("table8", Request((lits,), tmp_path, protocol="lits_clean"), data)
    assert {run.leaked for run in paper.runs} == {("3Dircadb1.1",)}
    assert {run.leaked for run in clean.runs} == {()}
    assert {run.train for run in clean.runs} == {("volume-27",)}
    last = replace(paper, runs=tuple(run for run in paper.runs if run.experiment.name == "rmaunet"))
    monkeypatch.setattr(make, "plans", lambda name, request: [last])
    made = reproduce("table8", Request((lits,), tmp_path))
    text = next(path for path in made[0].files if path.suffix == ".md").read_text()
    assert "| RMAU-Net †" in text
    assert "† 1 test cases are of patients in the training set (3Dircadb1.1)" in text
    assert "table8: 1 test cases of 3D-IRCADb" in json.loads(made[0].files[-1].read_text())["notices"][0]


def test_folds_are_joined(lits: Path, tmp_path: Path) -> None:
    from rmaunet.datasets import lits as reader

    root = make_lits(tmp_path / "five", (0, 3, 27, 60))
    data = {"lits": tuple(reader.cases(root))}
    request = Request((root,), tmp_path / "out", folds=2, surface=False)
    plan = make_plan("table11-lits", request, data)
    assert sorted(case.name for run in plan.runs for case in run.test) == sorted(case.name for case in data["lits"])
    assert all(not {case.name for case in run.test} & set(run.train) for run in plan.runs)
    assert [run.folder.relative_to(request.out).as_posix() for run in plan.runs] == [
        "runs/rmaunet/lits_cv2-1/seed0",
        "runs/rmaunet/lits_cv2-2/seed0",
    ]
    assert len(score_plan(plan, request, lambda _: None)) == 2
    made = reproduce("table11-lits", request)
    lines = [line for line in rows(made[0].files[0]) if (line["organ"], line["measure"]) == ("liver", "dice")]
    assert [line["n"] for line in lines[:2]] == [str(len(run.test)) for run in plan.runs]
    mean = next(line for line in lines if "mean" in line["row"])
    assert mean["n"] == "4"
    assert mean["sd_of_fold_means"] != ""
    assert lines[2]["seeds"] == "0"  # the paper's third fold: there are two here


def test_the_command_prints_the_table_or_its_manifest(
    whole: Path, lits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["reproduce", "loss", "--data", str(lits), "-o", str(whole)]
    assert main(words) == 0
    assert capsys.readouterr().out == (whole / "tables" / "table6.md").read_text()
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [json.loads((whole / "tables" / "table6.json").read_text())]


def test_figures_show_slices_chosen_by_rule(
    whole: Path, lits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    monkeypatch.setattr("rmaunet.paper.reproduce.slice_figures.FIGURES", {"figure6": "table6", "figure7": "table6"})
    for name in ("figure6", "figure7"):
        png, pdf, facts = reproduce_figure(name, Request((lits,), out))
        assert png.read_bytes()[:4] == b"\x89PNG"
        assert pdf.read_bytes()[:5] == b"%PDF-"
        content = json.loads(facts.read_text())
        area = {}
        for n in (0, 1):
            mask = axial(read_mask(lits / f"segmentation-{n}.nii.gz"))
            areas = (mask.array == 2).sum(axis=(1, 2))
            area[f"volume-{n}"] = (int(areas.argmax()), areas.max() * mask.spacing[1] * mask.spacing[2])
        ranked = sorted(area, key=lambda case: (area[case][1], case))
        expected = [ranked[1]] if name == "figure6" else ranked
        assert [one["case"] for one in content["slices"]] == expected
        assert [one["slice"] for one in content["slices"]] == [area[case][0] for case in expected]
        assert [one["tumor_area_mm2"] for one in content["slices"]] == pytest.approx([area[c][1] for c in expected])
    assert content["networks"] == ["RMAU-Net, ce", "RMAU-Net, ce_dice", "RMAU-Net"]


def test_a_training_scan_under_a_test_name_is_found_by_content(tmp_path: Path) -> None:
    """Volume 1 is volume 27 mirrored and in another window; volume 0 is another patient."""
    root = tmp_path / "LiTS"
    root.mkdir()
    for n, seed in ((0, 0), (27, 27), (1, 27)):
        made = phantom("abdomen", seed=seed, shape=(24, 96, 96))
        array = np.ascontiguousarray(np.asarray(made.ct.array)[:, :, ::-1]) if n == 1 else np.asarray(made.ct.array)
        ct = make_volume(np.clip(array, -150, 250) if n == 1 else array, np.asarray(made.ct.affine))
        write_volume(ct, root / f"volume-{n}.nii.gz")
        write_mask(made.mask, root / f"segmentation-{n}.nii.gz", like=read_volume(root / f"volume-{n}.nii.gz"))
    request = Request((root,), tmp_path / "out")
    plan = make_plan("table6", request, find_data((root,)))
    assert {run.leaked for run in plan.runs} == {()}
    said: list[str] = []
    assert {run.leaked for run in with_leaks(plan, request.out, said.append).runs} == {("volume-1",)}
    assert sum(text.startswith("fingerprint") for text in said) == 3
    again: list[str] = []
    assert {run.leaked for run in with_leaks(plan, request.out, again.append).runs} == {("volume-1",)}
    assert not any(text.startswith("fingerprint") for text in again)
