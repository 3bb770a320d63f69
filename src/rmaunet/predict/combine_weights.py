"""Combine weights: average runs that began alike, or put a locator before a refiner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from rmaunet.core.errors import ModelError
from rmaunet.predict.weights import ModelCard, Weights
from rmaunet.predict.weights_licence import joined_licence

__all__ = ["average_weights", "cascade_card"]


def average_weights(members: Sequence[Weights], *, name: str) -> tuple[nn.Module, ModelCard]:
    """The mean of weights that come from the same start: one network, between those that were averaged.

    Runs that begin with the same weights and go on in different ways stay near each other, and the mean of their weights
    works like the mean of their probabilities at the price of one (Wortsman et al., "Model soups", ICML 2022). The mean of
    runs that began apart is no network worth having.

    Args:
        members: At least two, of one network, preprocessing and postprocessing. The start may be among them.
        name: Of the result.

    Returns:
        The network and its card, for :func:`~rmaunet.predict.weights.save_weights`: the last member's with every training case
        of every member and the checksums of what was averaged.

    Raises:
        ModelError: If there are fewer than two members, or they differ in what must be the same.
    """
    _first_of(members, name)
    last = members[-1]
    network = last.network()
    for key, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(torch.stack([weights.state[key] for weights in members]).mean(dim=0))
    card = replace(
        last.card,
        name=name,
        trained_on=_cases_of(members),
        licence=_licence_of(members),
        training={**last.card.training, "mean_of": [weights.card.sha256 for weights in members]},
        results={},
        sha256="",
    )
    return network, card


def cascade_card(locator: ModelCard, refiner: ModelCard, *, name: str, locator_share: float = 0.0) -> ModelCard:
    """The card of two networks in turn: one finds the liver in the whole scan, the other looks around it.

    Args:
        locator: Of weights that need no liver found before.
        refiner: Of weights whose grid is "liver".
        name: Of the result.
        locator_share: Of the locator's probabilities in the mean of both.

    Returns:
        The refiner's card with every training case of both, for :func:`~rmaunet.predict.weights.save_weights`.

    Raises:
        ModelError: If one cannot take its place.
    """
    for card, wanted in ((locator, False), (refiner, True)):
        _alone(card)
        if (card.preprocessing.grid == "liver") != wanted:
            grid = "'liver' is needed" if wanted else "looks around a liver found before"
            raise ModelError(
                card.name, "grid", card.preprocessing.grid, grid, "give the locator first, then the refiner"
            )
    return replace(
        refiner,
        name=name,
        trained_on=tuple(dict.fromkeys((*locator.trained_on, *refiner.trained_on))),
        licence=joined_licence(refiner.licence, locator.licence),
        results={},
        locator_share=locator_share,
    )


def _first_of(members: Sequence[Weights], name: str) -> ModelCard:
    """The card that the others were found to agree with."""
    if len(members) < 2:
        raise ModelError(name, "members", len(members), "are too few", "name two or more weights")
    for weights in members:
        _alone(weights.card)
        _same(members[0].card, weights.card)
    return members[0].card


def _cases_of(members: Sequence[Weights]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(case for weights in members for case in weights.card.trained_on))


def _licence_of(members: Sequence[Weights]) -> str:
    return joined_licence(*(weights.card.licence for weights in members))


def _alone(card: ModelCard) -> None:
    if card.locator:
        problem = "has one already"
        raise ModelError(card.name, "locator", card.locator[:12], problem, "give weights of one network")


def _same(first: ModelCard, other: ModelCard) -> None:
    pairs = {
        "network": (first.network, other.network),
        "preprocessing": (first.preprocessing, other.preprocessing),
        "postprocessing": (first.postprocessing, other.postprocessing),
        "classes": (first.classes, other.classes),
    }
    for field, (mine, theirs) in pairs.items():
        if mine != theirs:
            raise ModelError(
                other.name, field, str(theirs)[:120], f"differs from that of {first.name}", "take like with like"
            )
