"""A scan is found again through mirroring, cutting and windowing. (Phantoms share one anatomy, so only the best
match is asked for here; thresholds for real patients come from lab/benchmarks/overlap.py.)"""

import json

import numpy as np
import pytest

from rmaunet.core.errors import InputError
from rmaunet.core.volume import make_volume
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.leaks.fingerprint import fingerprint, read_fingerprints, write_fingerprints
from rmaunet.leaks.match_scans import compare, find_overlaps


@pytest.fixture(scope="module")
def scans():
    return {f"p{seed}": phantom("abdomen", seed=seed).ct for seed in (1, 2, 3)}


@pytest.fixture(scope="module")
def prints(scans):
    return [fingerprint(ct, name) for name, ct in scans.items()]


@pytest.mark.parametrize(
    ("change", "mirrored"),
    [
        (lambda a: a, ()),
        (lambda a: a[:, :, ::-1][10:50], ("left-right",)),
        (lambda a: a[::-1], ("head-feet",)),
        (lambda a: np.clip(a, -40, 160), ()),
    ],
)
def test_a_changed_copy_matches_its_original_best(scans, prints, change, mirrored):
    copy = fingerprint(make_volume(np.ascontiguousarray(change(scans["p1"].array))), "copy")
    best = find_overlaps([copy], prints)[0]
    assert (best.other, best.verdict) == ("p1", "same scan")
    assert best.alignment.mirrored == mirrored
    assert best.alignment.score > 0.9
    assert all(compare(copy, other).score < best.alignment.score - 0.05 for other in prints[1:])


def test_fingerprints_come_back_from_json(prints, tmp_path):
    write_fingerprints(tmp_path / "f.json", prints)
    back = read_fingerprints(tmp_path / "f.json")
    assert [one.name for one in back] == ["p1", "p2", "p3"]
    assert all(np.array_equal(a.strips, b.strips) for a, b in zip(back, prints, strict=True))


def test_a_damaged_fingerprint_is_refused(prints, tmp_path):
    write_fingerprints(tmp_path / "f.json", prints)
    content = json.loads((tmp_path / "f.json").read_text())
    content["fingerprints"][0]["strips"] = "AAAA"
    (tmp_path / "f.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="damaged"):
        read_fingerprints(tmp_path / "f.json")
