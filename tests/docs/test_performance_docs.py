"""The generated pages are up to date, and the default follows from the measured agreement."""

import csv
from pathlib import Path

from bench.agreement import verdicts
from rmaunet.predict.choose_runtime import ACCEPTED

ROOT = Path(__file__).parents[2]


def test_the_pages_are_what_the_script_writes(load_file, monkeypatch):
    module = load_file(ROOT / "lab" / "scripts" / "make_performance_docs.py")
    monkeypatch.setattr("sys.argv", ["make_performance_docs.py", "--check"])
    assert module.main() == 0, "run lab/scripts/make_performance_docs.py"


def test_no_precision_is_automatic_that_was_not_measured_to_agree():
    accepted = set()
    for path in (ROOT / "lab" / "results" / "agreement").glob("*/agreement.csv"):
        with path.open(newline="") as file:
            accepted |= {line["way"] for line in verdicts(list(csv.DictReader(file))) if line["accepted"]}
    assert {f"{runtime} {precision}" for runtime, precision, _ in ACCEPTED} <= accepted
    assert "openvino float32" in accepted  # the default on a CPU
