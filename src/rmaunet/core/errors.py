"""What goes wrong and how it is said: one line naming the file or case, the field, the value, and the remedy.

The command line turns each class into its own exit code (see :mod:`rmaunet.cli.main`); a library user catches
:class:`RmaunetError`.
"""

from __future__ import annotations

from pathlib import Path

from rmaunet.core.formats import one_line

__all__ = ["InputError", "ModelError", "OutputError", "RmaunetError", "UsageError"]


class RmaunetError(Exception):
    """Base of every error rmaunet raises on purpose.

    Args:
        subject: The file or case concerned, as the user would recognise it.
        field: What about it: a header field, a tag, a column, an option.
        value: The value found, shown as ``repr`` unless it is a string; None leaves `` = value`` out.
        problem: What is wrong, without a full stop.
        remedy: What to do about it, without a full stop.

    Example:
        >>> str(InputError("ct.nii", "dim[0]", 5, "not a volume", "give a 3-D file"))
        'ct.nii: dim[0] = 5: not a volume; give a 3-D file'
    """

    exit_code = 1

    def __init__(self, subject: str | Path, field: str, value: object, problem: str, remedy: str) -> None:
        self.subject = str(subject)
        self.field = field
        self.value = value
        self.problem = problem
        self.remedy = remedy
        shown = "" if value is None else f" = {value if isinstance(value, str) else repr(value)}"
        text = f"{self.subject}: {field}{shown}: {problem}; {remedy}"
        super().__init__(one_line(text))


class UsageError(RmaunetError):
    """The command or call asks for something that makes no sense (exit code 2)."""

    exit_code = 2


class InputError(RmaunetError):
    """An image, mask, table or data set handed over cannot be used (exit code 3)."""

    exit_code = 3


class OutputError(RmaunetError):
    """A result cannot be written (exit code 4)."""

    exit_code = 4


class ModelError(RmaunetError):
    """Weights or a model description cannot be used (exit code 5)."""

    exit_code = 5
