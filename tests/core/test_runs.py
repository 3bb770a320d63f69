"""A run's folder belongs to one process at a time."""

import subprocess
import sys

import pytest

from rmaunet.core.errors import OutputError
from rmaunet.core.runs import LOCK, locked

RACE = """
import os, sys, time
from pathlib import Path
from rmaunet.core.errors import OutputError
from rmaunet.core.runs import locked
folder, marks = Path(sys.argv[1]), Path(sys.argv[2])
(marks / f"ready-{os.getpid()}").touch()
while len(list(marks.glob("ready-*"))) < 4:
    pass
try:
    with locked(folder):
        while len(list(marks.glob("refused-*"))) < 3:
            time.sleep(0.05)
    print("held")
except OutputError:
    (marks / f"refused-{os.getpid()}").touch()
    print("refused")
"""


def test_a_folder_is_held_once_and_left_clean(tmp_path):
    with locked(tmp_path):
        with pytest.raises(OutputError, match="another run uses this folder"), locked(tmp_path):
            pass
        assert (tmp_path / LOCK).exists()  # the refused one took nothing away
    assert list(tmp_path.iterdir()) == []


def test_a_lock_of_a_process_that_is_gone_is_taken_over(tmp_path):
    code = "import os, sys; from pathlib import Path; from rmaunet.core.runs import locked\n"
    code += "with locked(Path(sys.argv[1])): os._exit(9)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert (tmp_path / LOCK).exists()
    with locked(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_of_four_that_find_an_old_lock_at_once_one_gets_the_folder(tmp_path):
    folder, marks = tmp_path / "folder", tmp_path / "marks"
    folder.mkdir()
    marks.mkdir()
    (folder / LOCK).touch()
    words = [sys.executable, "-c", RACE, str(folder), str(marks)]
    runs = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = sorted(run.communicate(timeout=120)[0].strip() for run in runs)
    assert said == ["held", "refused", "refused", "refused"]
