"""Three folds by patient of the cases in a store, for choosing between candidates: lab/results/weights/folds/foldK.json.

Scans that look like repeats of one patient (by eye and by fingerprint, docs/concepts/leak-detection.md) stay in one fold.

    python lab/scripts/make_weight_folds.py STORE
"""

from __future__ import annotations

import sys
from pathlib import Path

from rmaunet.core.files import write_json
from rmaunet.datasets.splits import make_folds, write_split
from rmaunet.datasets.store.slice_store import Store

OUT = Path(__file__).parents[2] / "lab" / "results" / "weights" / "folds"
REPEATS = {"volume-0": "0-1", "volume-1": "0-1", "volume-14": "14-15", "volume-15": "14-15"} | {
    f"volume-{n}": "6-7-8-10" for n in (6, 7, 8, 10)
}


def main() -> None:
    store = Store(Path(sys.argv[1]))
    folds = make_folds({case.name: any(case.tumor) for case in store.cases}, folds=3, seed=0, patients=REPEATS)
    OUT.mkdir(parents=True, exist_ok=True)
    write_json(OUT / "patients.json", REPEATS)
    for k, test in enumerate(folds):
        train = [case.name for case in store.cases if case.name not in test]
        patients = {name: owner for name, owner in REPEATS.items() if name in {*train, *test}}
        write_split(OUT / f"fold{k}.json", train, test, patients=patients)
        print(f"fold {k}: {len(test)} validation cases: {' '.join(name.removeprefix('volume-') for name in test)}")


if __name__ == "__main__":
    main()
