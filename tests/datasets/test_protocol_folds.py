"""Folds of the paper's data sets: by patient, whatever their number and whatever cases are at hand."""

import pytest

from rmaunet.core.errors import UsageError
from rmaunet.datasets.ircadb import TUMOR_FREE
from rmaunet.datasets.splits import protocol_folds

NAMES = [f"3Dircadb1.{n}" for n in range(1, 21)]


@pytest.mark.parametrize("folds", [2, 4, 5, 10])
def test_each_patient_is_tested_once_and_tumors_are_spread(folds: int) -> None:
    drawn = protocol_folds("ircadb_cv5", NAMES, folds=folds)
    assert sorted(name for fold in drawn for name in fold) == sorted(NAMES)
    assert len(drawn) == folds
    free = {f"3Dircadb1.{n}" for n in TUMOR_FREE}
    counts = [len(free & set(fold)) for fold in drawn]
    assert max(counts) - min(counts) <= 1
    assert max(map(len, drawn)) - min(map(len, drawn)) <= 1


def test_five_is_the_protocols_number_and_absent_cases_move_nobody() -> None:
    assert protocol_folds("ircadb_cv5", NAMES) == protocol_folds("ircadb_cv5", NAMES, folds=5)
    fewer = protocol_folds("ircadb_cv5", NAMES[::2])
    assert fewer == [[name for name in fold if name in NAMES[::2]] for fold in protocol_folds("ircadb_cv5", NAMES)]


def test_more_folds_than_patients_are_refused() -> None:
    with pytest.raises(UsageError, match="folds = 21"):
        protocol_folds("ircadb_cv5", NAMES, folds=21)
