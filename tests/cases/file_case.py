"""A row of the table of single-file inputs: a Case that also says how to check what was read."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cases import Case
from rmaunet.core.errors import InputError
from rmaunet.core.notices import collect_notices


@dataclass(frozen=True)
class FileCase(Case):
    """One kind of input.

    then: what happens, in words. text is the pattern that the warning or error matches.
    check: looks at what was read. options: passed to the reader.
    """

    then: str = ""
    check: Callable[[Any, Path], None] | None = None
    options: dict[str, Any] = field(default_factory=dict)


def check_case(case: FileCase, folder: Path, read) -> None:
    """Write the file, read it, and check the outcome that the table gives."""
    path = case.write(folder)
    start = time.perf_counter()
    with collect_notices() as notices:
        if case.outcome == "refused":
            with pytest.raises(InputError) as caught:
                read(path, **case.options)
            text = str(caught.value)
            assert re.search(case.text, text), text
            assert path.name in text
            assert "\n" not in text
        else:
            scan = read(path, **case.options)
    assert time.perf_counter() - start < 2
    if case.outcome == "warned":
        assert any(re.search(case.text, line) for line in notices), notices
    elif case.outcome == "handled":
        assert notices == []
    if case.outcome != "refused" and case.check is not None:
        case.check(scan, path)
