import re

import pytest

from rmaunet.cli.main import main
from rmaunet.core.errors import InputError
from rmaunet.datasets.phantoms import example_scan as example


def test_without_a_network_the_demo_uses_a_phantom_and_says_so(capsys, tmp_path, monkeypatch):
    def no_network(cache):
        raise InputError("totalsegmentator", "download", None, "failed", "check the network")

    monkeypatch.setattr(example, "fetch_example", no_network)
    assert main(["demo", "-o", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert "warning: totalsegmentator: download: failed" in printed.err
    last = printed.out.splitlines()[-1]
    assert last.startswith("NO REAL CT: a phantom")
    assert float(re.search(r"liver Dice (\d\.\d+)", last).group(1)) > 0.8
    names = {path.name for path in tmp_path.iterdir()}
    assert {"phantom_seg.nii.gz", "phantom_overlay.png", "phantom_run.json", "phantom_report.html"} <= names


def test_a_download_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(example, "REQUIREMENT", "no-such-package-of-ours==0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "none"))
    with pytest.raises(InputError, match="download"):
        example.fetch_example(tmp_path / "cache")
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").iterdir())
