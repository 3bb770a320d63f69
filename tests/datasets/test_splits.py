"""Splits keep patients apart, and the protocols are those of the paper."""

import json

import pytest

from rmaunet.core.errors import InputError, UsageError
from rmaunet.datasets import ircadb, lits
from rmaunet.datasets.splits import make_folds, protocol_folds, read_folds, read_split, split_cases, write_split

LITS = [f"volume-{n}" for n in range(131)]
IRCADB = [f"3Dircadb1.{n}" for n in range(1, 21)]


def numbers(names):
    return [lits.number(name) for name in names]


def test_lits_paper_trains_on_27_to_130():
    train, test = split_cases("lits_paper", LITS)
    assert numbers(train) == list(range(27, 131))
    assert numbers(test) == list(range(27))


def test_lits_clean_leaves_out_the_patients_of_ircadb():
    train, test = split_cases("lits_clean", LITS)
    assert numbers(train) == [27, *range(48, 131)]
    assert len(train) == 84
    assert numbers(test) == list(range(27))


@pytest.mark.parametrize(("protocol", "names"), [("lits_cv5", LITS), ("ircadb_cv5", IRCADB)])
def test_five_folds_hold_every_case_once_and_spread_the_tumor_free(protocol, names):
    folds = protocol_folds(protocol, names)
    assert sorted(name for fold in folds for name in fold) == sorted(names)
    sizes = [len(fold) for fold in folds]
    assert max(sizes) - min(sizes) <= 1
    free = lits.TUMOR_FREE if protocol == "lits_cv5" else ircadb.TUMOR_FREE
    number = lits.number if protocol == "lits_cv5" else ircadb.patient_number
    without = [sum(number(name) in free for name in fold) for fold in folds]
    assert max(without) - min(without) <= 1
    for k in range(5):
        train, test = split_cases(f"{protocol}:{k}", names)
        assert test == folds[k]
        assert sorted([*train, *test]) == sorted(names)


def test_folds_are_the_same_whatever_is_at_hand():
    whole, part = protocol_folds("lits_cv5", LITS), protocol_folds("lits_cv5", LITS[::3])
    assert part == [[name for name in fold if name in LITS[::3]] for fold in whole]


@pytest.mark.parametrize("split", ["lits_cv5", "lits_cv5:5", "lits_cv5:x", "ircadb_cv5:-1"])
def test_a_fold_must_be_named(split):
    with pytest.raises(UsageError, match="is none of 0 to 4"):
        split_cases(split, LITS)


def test_scans_of_a_patient_stay_together():
    patients = {"a1": "A", "a2": "A", "a3": "A", "b1": "B"}
    tumor = dict.fromkeys(["a1", "a2", "a3", "b1", "c", "d", "e"], True) | {"c": False}
    for seed in range(20):
        folds = make_folds(tumor, folds=3, seed=seed, patients=patients)
        assert sorted(name for fold in folds for name in fold) == sorted(tumor)
        assert sum({"a1", "a2", "a3"} <= set(fold) for fold in folds) == 1


def test_more_folds_than_patients_are_refused():
    with pytest.raises(UsageError, match="cannot be made of 2 patients"):
        make_folds({"a": True, "b": False}, folds=3, seed=0)


def test_a_split_comes_back(tmp_path):
    write_split(tmp_path / "s.json", ["a", "b"], ["c"], patients={"a": "A", "b": "A"})
    assert read_split(tmp_path / "s.json") == (["a", "b"], ["c"])
    assert split_cases(str(tmp_path / "s.json"), ["a", "b", "c"]) == (["a", "b"], ["c"])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"train": ["a", "b"], "test": ["b"]}, "cases = b: are trained on and tested on"),
        ({"train": ["a", "a"], "test": []}, "cases = a: stand there twice"),
        (
            {"train": ["a"], "test": ["b"], "patients": {"a": "P", "b": "P"}},
            r"patients = P \(a, b\): are on both sides",
        ),
        ({"train": ["a"], "test": ["b"], "patients": {"b": "a"}}, r"patients = a \(a, b\): are on both sides"),
        ({"train": "a", "test": []}, 'has no list "train" of names'),
        ({"train": ["a"]}, 'has no list "test" of names'),
        ({"train": ["a"], "test": ["b"], "patients": ["a"]}, "is no map of cases to patients"),
        ([1], 'has no list "train" of names'),
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_a_bad_split_is_one_line(tmp_path, content, text):
    path = tmp_path / "s.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(InputError, match=text):
        read_split(path)


def test_a_split_naming_unknown_cases_or_none(tmp_path):
    write_split(tmp_path / "s.json", ["a"], ["b"])
    with pytest.raises(InputError, match="cases = b: not in the store"):
        split_cases(str(tmp_path / "s.json"), ["a"])
    with pytest.raises(InputError, match="the split leaves none"):
        split_cases("lits_paper", ["volume-3"])


def test_folds_of_nnunet(tmp_path):
    path = tmp_path / "splits_final.json"
    path.write_text(json.dumps([{"train": ["b", "c"], "val": ["a"]}, {"train": ["a"], "val": ["b", "c"]}]))
    assert read_folds(path)[0] == (["b", "c"], ["a"])
    assert split_cases(f"{path}:1", ["a", "b", "c"]) == (["a"], ["b", "c"])
    with pytest.raises(UsageError, match="is none of 0 to 1"):
        split_cases(f"{path}:2", ["a", "b", "c"])


@pytest.mark.parametrize(
    ("folds", "text"),
    [
        ([{"train": ["a"], "val": ["a"]}], "cases = a: are trained on and tested on"),
        ([{"train": ["b"], "val": ["a"]}, {"train": ["c"], "val": ["a"]}], "folds 0 and 1 = a: is tested in both"),
        ([{"train": ["b"]}], 'has no list "val" of names'),
        ({"train": []}, "is no list of folds"),
        ([], "is no list of folds"),
    ],
)
def test_bad_folds_of_nnunet(tmp_path, folds, text):
    path = tmp_path / "splits_final.json"
    path.write_text(json.dumps(folds))
    with pytest.raises(InputError, match=text):
        read_folds(path)
