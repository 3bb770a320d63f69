"""One scan ahead is read, never two; its faults and its notices come out where it is worked on."""

import sys
import threading
import time

import numpy as np
import pytest

from rmaunet.cohort.prefetch import import_ahead, read_ahead
from rmaunet.core.errors import InputError
from rmaunet.core.notices import collect_notices, notice


def test_the_next_is_read_while_this_one_is_worked_on_and_no_more():
    begun = {n: threading.Event() for n in range(4)}

    def read(n):
        begun[n].set()
        return n

    for n, scan in read_ahead(range(4), read):
        assert scan() == n
        if n < 3:
            assert begun[n + 1].wait(30)
        if n < 2:
            assert not begun[n + 2].is_set()


def test_faults_and_notices_belong_to_their_own_scan():
    def read(n):
        if n == 1:
            raise InputError("scan", "file", None, "is damaged", "restore it")
        notice(f"scan{n}", "is odd")
        return n

    found = []
    for n, scan in read_ahead(range(3), read):
        with collect_notices() as notices:
            if n == 1:
                with pytest.raises(InputError, match="is damaged"):
                    scan()
            else:
                scan()
        found.append(list(notices))
    assert found == [["scan0: is odd"], [], ["scan2: is odd"]]


def test_leaving_early_reads_no_further():
    read = []
    scans = read_ahead(range(50), lambda n: read.append(n) or n)
    next(scans)
    scans.close()
    assert len(read) <= 2
    np.testing.assert_array_equal(read, range(len(read)))


def test_modules_are_imported_from_the_first_slices_on(tmp_path, monkeypatch):
    for name in ("later_one", "later_two"):
        (tmp_path / f"{name}.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    told = []
    progress = import_ahead(["later_one", "no_such_module", "later_two"], lambda done, of: told.append((done, of)))
    assert "later_one" not in sys.modules
    progress(4, 8)
    progress(8, 8)
    until = time.monotonic() + 30
    while "later_two" not in sys.modules and time.monotonic() < until:
        time.sleep(0.01)
    assert {"later_one", "later_two"} <= set(sys.modules)
    assert told == [(4, 8), (8, 8)]
