"""Weights of several runs joined into one set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from rmaunet.errors import ModelError
from rmaunet.networks.ensemble import Ensemble
from rmaunet.predict.weights import ModelCard, Weights

__all__ = ["cascade_card", "join_weights"]


def join_weights(members: Sequence[Weights], *, name: str) -> tuple[nn.Module, ModelCard]:
    """The ensemble of weights that expect the same input.

    Args:
        members: At least two, of one network, preprocessing and postprocessing and the same flips; ensembles may be among
            them.
        name: Of the result.

    Returns:
        The network and its card, for :func:`~rmaunet.predict.weights.save_weights`. The card names every training case of
        every member and keeps each member's name and checksum.

    Raises:
        ModelError: If there are fewer than two members, or they differ in what must be the same.
    """
    if len(members) < 2:
        raise ModelError(name, "members", len(members), "are too few for an ensemble", "name two or more weights")
    first = members[0].card
    networks: list[nn.Module] = []
    for weights in members:
        _alone(weights.card)
        _same(first, weights.card)
        network = weights.network()
        networks.extend(network.members if isinstance(network, Ensemble) else [network])
    card = replace(
        first,
        name=name,
        network=replace(first.network, members=len(networks)),
        trained_on=tuple(dict.fromkeys(case for weights in members for case in weights.card.trained_on)),
        training={"members": [{"name": w.card.name, "sha256": w.card.sha256, **w.card.training} for w in members]},
        results={},
        sha256="",
    )
    return Ensemble(networks).eval(), card


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
        results={},
        locator_share=locator_share,
    )


def _alone(card: ModelCard) -> None:
    if card.locator:
        problem = "has one already"
        raise ModelError(card.name, "locator", card.locator[:12], problem, "join the networks of each kind first")


def _same(first: ModelCard, other: ModelCard) -> None:
    pairs = {
        "network": (replace(first.network, members=1), replace(other.network, members=1)),
        "preprocessing": (first.preprocessing, other.preprocessing),
        "postprocessing": (first.postprocessing, other.postprocessing),
        "flips": (first.flips, other.flips),
        "classes": (first.classes, other.classes),
    }
    for field, (mine, theirs) in pairs.items():
        if mine != theirs:
            raise ModelError(
                other.name, field, str(theirs)[:120], f"differs from that of {first.name}", "join like with like"
            )
