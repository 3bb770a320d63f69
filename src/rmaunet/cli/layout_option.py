"""The type of options that name a data set's layout: every key of ``DATASETS``, checked when the command runs."""

from __future__ import annotations

from typing import Annotated

from tyro.constructors import PrimitiveConstructorSpec

from rmaunet.datasets import DATASETS

__all__ = ["Layout", "LayoutOrAuto"]


def _spec(*more: str) -> PrimitiveConstructorSpec[str]:
    def chosen(words: list[str]) -> str:
        known = (*more, *DATASETS)  # of now: a data set may have been added since this module was imported
        if words[0] not in known:
            raise ValueError(f"invalid choice {words[0]!r}; choose from {', '.join(known)}")
        return words[0]

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="{" + ",".join((*more, *DATASETS)) + "}",
        instance_from_str=chosen,
        is_instance=lambda value: isinstance(value, str),
        str_from_instance=lambda value: [value],
    )


Layout = Annotated[str, _spec()]
LayoutOrAuto = Annotated[str, _spec("auto")]
