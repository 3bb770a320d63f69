"""One scan ahead is read, never two; its faults and its notices come out where it is worked on."""

import threading

import numpy as np
import pytest

from rmaunet.errors import InputError
from rmaunet.notices import collect_notices, notice
from rmaunet.segment.ahead import read_ahead


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
