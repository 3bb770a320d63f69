"""The pages on reproducing the paper, statistics and the study agree with the code and the results."""

import doctest
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from rmaunet.cli.main import COMMANDS
from rmaunet.paper.reported import TABLES
from rmaunet.paper.reproduce.request import ALIASES, FIGURES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "reproduce-the-paper.md").read_text(encoding="utf-8")

STATISTICS = ROOT / "docs" / "concepts" / "statistics.md"


@pytest.fixture(scope="module")
def script(load_file: Callable[..., ModuleType]) -> ModuleType:
    return load_file(ROOT / "lab" / "scripts" / "make_study_doc.py")


def test_every_table_and_figure_has_its_line() -> None:
    assert "reproduce" in COMMANDS
    table = PAGE.split("| command |")[1].split("\n\n")[0]
    named = set(re.findall(r"`([a-z]+\d*)`", table))
    assert named == {name.partition("-")[0] for name in TABLES} | set(ALIASES) | set(FIGURES)


def test_every_option_named_is_one() -> None:
    from dataclasses import fields

    from rmaunet.cli.reproduce import Reproduce

    known = {field.name.replace("_", "-") for field in fields(Reproduce)}
    for option in re.findall(r"--([a-z][a-z-]+)", PAGE):
        assert option.removeprefix("no-") in known


def test_statistics_page() -> None:
    failed, tried = doctest.testfile(str(STATISTICS), module_relative=False, encoding="utf-8")
    assert (failed, tried) == (0, 4)


def test_map_of_patients_is_json() -> None:
    text = STATISTICS.read_text(encoding="utf-8")
    patients = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    assert sorted(patients.values()) == ["A", "A", "B", "B", "C", "C", "C", "C"]


def test_the_study_is_up_to_date(script: ModuleType) -> None:
    if not (script.STUDY / "table7.json").is_file():
        pytest.skip("lab/results/study holds no study")
    for page, text in script.pages().items():
        assert page.read_text(encoding="utf-8") == text, "run lab/scripts/make_study_doc.py"


HEADER = "table,row,experiment,organ,measure,mean,sd,n,seeds,sd_between_seeds,as_reported_mean,as_reported_sd\n"
TESTS = "organ,first,second,mean_difference,low,high,p_wilcoxon_holm,wins,ties,losses,n\n"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    rebuilt = "SAA-Net (reconstruction)"
    rows = [("U-Net", "unet", 0.3, 2, 0.02), (rebuilt, "saanet", 0.4, 1, ""), ("RMAU-Net", "rmaunet", 0.35, 2, 0.06)]
    results = [
        f"table7,{title},{name},{organ},{measure},{mean},0.1,4,{seeds},{sd},0.9,0.01\n"
        for title, name, mean, seeds, sd in rows
        for organ in ("liver", "tumor")
        for measure in ("dice", "voe", "rvd")
    ]
    (tmp_path / "table7.csv").write_text(HEADER + "".join(results))
    tests = [
        f"{organ},RMAU-Net,{other}\n"
        for organ in ("liver", "tumor")
        for other in ("U-Net,0.05,0.01,0.09,0.25,4,0,0,4", f"{rebuilt},-0.05,-0.2,0.1,0.9,1,0,3,4")
    ]
    (tmp_path / "table7_differences.csv").write_text(TESTS + "".join(tests))
    content = {
        "notes": ["n1"],
        "machine": {"processor": "P", "torch": "2", "commit": "c"},
        "inputs": {"runs": [{"weights": "w", "cases": {"a": {}, "b": {}, "c": {}, "d": {}}}]},
    }
    (tmp_path / "table7.json").write_text(json.dumps(content))
    (tmp_path / "table7_cases.csv").write_text(
        "experiment,name,liver_dice,tumor_dice\nunet,a,0.9,0.3\nrmaunet,a,0.9,0.4\n"
    )
    return tmp_path


def test_the_sentence_says_what_the_numbers_say(script: ModuleType, study: Path) -> None:
    text = script.generate(study)
    assert "Tumor: the highest mean DSC is SAA-Net (reconstruction)'s (0.4000); RMAU-Net has 0.3500." in text
    assert "2 differences: 1 with an interval above 0 (U-Net), 0 with one below 0; 0 with a Holm-corrected p" in text
    assert "SD between two seeds: up to 0.0600; differences smaller than that: 2." in text
    assert "| DSC as reported |" in text
    assert "4 whole scans" in text


def test_the_figure_is_drawn_from_the_cases(script: ModuleType, study: Path) -> None:
    script.draw(study, study / "study.png")
    assert (study / "study.png").read_bytes()[:4] == b"\x89PNG"
