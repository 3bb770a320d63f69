"""Licence of weights: research use only, and what the training data asks for."""

from __future__ import annotations

__all__ = ["UNSTATED_LICENCE", "joined_licence", "licence_of_data"]

_USE = "Research use only."
UNSTATED_LICENCE = f"{_USE} The licence of the training data was not stated."


def licence_of_data(data: str) -> str:
    """Licence of weights trained on data of the name and licence ``data``; "" if it is not known.

    Example:
        >>> licence_of_data("LiTS (CC BY-NC-ND 4.0)")
        'Research use only. Trained on data: LiTS (CC BY-NC-ND 4.0).'
    """
    return f"{_USE} Trained on data: {data}." if data else UNSTATED_LICENCE


def joined_licence(*licences: str) -> str:
    """Licence of weights made from others: what each of them says, once.

    Example:
        >>> joined_licence("Research use only. Trained on data: A.", UNSTATED_LICENCE)
        'Research use only. Trained on data: A. The licence of the training data was not stated.'
    """
    parts = dict.fromkeys(licence.removeprefix(_USE).strip() for licence in licences)
    return " ".join((_USE, *filter(None, parts)))
