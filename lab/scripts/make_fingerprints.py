"""Fingerprints of the training cases of weights, kept beside them as fingerprints.json.

python lab/scripts/make_fingerprints.py WEIGHTS DATA_ROOT

WEIGHTS is the weights' folder, whose card names the training cases; DATA_ROOT is the data set they come from.
"""

import sys
from pathlib import Path

from rmaunet.datasets.check.check_dataset import list_cases
from rmaunet.datasets.load_case import load_image
from rmaunet.leaks.fingerprint import fingerprint, write_fingerprints
from rmaunet.predict.weights import FINGERPRINTS, load_card


def main(weights: Path, root: Path) -> None:
    names = load_card(weights).trained_on
    cases = {case.name: case for case in list_cases(root)[1]}
    missing = sorted(set(names) - set(cases))
    if missing or not names:
        sys.exit(f"error: {root}: training cases = {len(missing)} of {len(names)}: missing, first {missing[:3]}")
    prints = [fingerprint(load_image(cases[name]).volume, name) for name in names]
    write_fingerprints(weights / FINGERPRINTS, prints)
    print(f"{len(prints)} fingerprints in {weights / FINGERPRINTS}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
