"""``rmaunet models list | show | verify | import | average | cascade``: weights and their cards."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from rmaunet.cli.parse import parse
from rmaunet.core.formats import given_name

__all__ = ["main"]


@dataclass(frozen=True)
class List:
    """List the weights that come with the package."""

    json: bool = False
    """Print as JSON."""


@dataclass(frozen=True)
class Show:
    """Print the card of weights: what they are, what they were trained on, their licence and figures."""

    weights: tyro.conf.Positional[str]
    """Name of shipped weights, or their folder."""


@dataclass(frozen=True)
class Verify:
    """Check weights: checksum, keys, shapes, types, finiteness, and that the card builds the network."""

    weights: tyro.conf.Positional[str]
    """Name of shipped weights, their folder, or a .safetensors file with card.json beside it."""


@dataclass(frozen=True)
class Import:
    """Turn a .pt file of tensors into weights with a card. Only tensors are read, never code."""

    source: tyro.conf.Positional[Path]
    """The .pt file: a state dict, or a dictionary with one under "state_dict"."""
    card: Path
    """card.json that describes the network (see `rmaunet models show`)."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder for model.safetensors and card.json."""


@dataclass(frozen=True)
class Average:
    """Average the weights of runs that began with the same weights (`train --start`) into one network."""

    weights: tyro.conf.Positional[tuple[str, ...]]
    """Names or folders, two or more."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder of the result; its name becomes the weights' name."""


@dataclass(frozen=True)
class Cascade:
    """Put two networks in turn: one finds the liver in the whole scan, the other looks around it for liver and tumor."""

    locator: tyro.conf.Positional[str]
    """Name or folder of the weights that find the liver."""
    refiner: tyro.conf.Positional[str]
    """Folder of the weights that look around it, trained with the grid "liver"."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder of the result; its name becomes the weights' name."""
    locator_share: float = 0.0
    """Share of the first network's probabilities in the mean of both around the liver; 0 leaves the word to the second."""


MOST_RATIO = 20
"""Tensors hardly compress; a file that swells by more is a bomb."""

ACTIONS: dict[str, type[Any]] = {
    "list": List,
    "show": Show,
    "verify": Verify,
    "import": Import,
    "average": Average,
    "cascade": Cascade,
}


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    if not argv or argv[0] not in ACTIONS:
        asked = bool(argv) and argv[0] in ("-h", "--help")
        print(f"usage: rmaunet models {{{','.join(ACTIONS)}}} [options]", file=sys.stdout if asked else sys.stderr)
        for name, kind in ACTIONS.items():
            print(f"  {name:<8} {(kind.__doc__ or '').splitlines()[0]}", file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    args = parse(ACTIONS[argv[0]], argv[1:], f"rmaunet models {argv[0]}")
    if isinstance(args, Import | Average | Cascade):
        _check_output(args, argv)
    if isinstance(args, List):
        return _list(args)
    if isinstance(args, Show):
        return _show(args)
    if isinstance(args, Average):
        return _average(args)
    if isinstance(args, Cascade):
        return _cascade(args)
    return _verify(args) if isinstance(args, Verify) else _import(args)


def _check_output(args: Import | Average | Cascade, argv: list[str]) -> None:
    """Refuse a folder in which one of the inputs would be written over."""
    from rmaunet.cli.output_option import check_folder_of_weights

    names: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    if isinstance(args, Import):
        files = (args.source, args.card)
    elif isinstance(args, Cascade):
        names = (args.locator, args.refiner)
    else:
        names = args.weights
    check_folder_of_weights("models", args.output, argv, names, *files)


def _list(args: List) -> int:
    import json

    from rmaunet.predict import load_weights, shipped_weights

    cards = [load_weights(name).card for name in shipped_weights()]
    if args.json:
        print(json.dumps([{"name": c.name, "sha256": c.sha256, "licence": c.licence} for c in cards], indent=2))
        return 0
    for card in cards:
        print(f"{card.name:<10} {card.network.name} base {card.network.base}; {card.licence}")
    return 0


def _show(args: Show) -> int:
    import json

    from rmaunet.core.settings import to_dict
    from rmaunet.predict import load_weights

    print(json.dumps(to_dict(load_weights(args.weights).card), indent=2))
    return 0


def _verify(args: Verify) -> int:
    from rmaunet.predict import load_weights

    weights = load_weights(args.weights)
    count = sum(tensor.numel() for tensor in weights.state.values())
    print(f"ok: {weights.card.name}: {len(weights.state)} tensors, {count} values, sha256 {weights.card.sha256}")
    return 0


def _import(args: Import) -> int:
    from rmaunet.core.errors import ModelError, RmaunetError
    from rmaunet.core.settings import from_dict, read_json
    from rmaunet.networks.build import build_network
    from rmaunet.predict import ModelCard, load_weights, save_weights
    from rmaunet.predict.weights import checked_state

    try:
        card = from_dict(ModelCard, read_json(args.card), subject=str(args.card))
    except RmaunetError as error:
        raise ModelError(error.subject, error.field, error.value, error.problem, error.remedy) from error
    state = checked_state(_tensors(args.source), card, args.source)
    network = build_network(card.network, in_channels=card.preprocessing.channels, classes=card.classes)
    network.load_state_dict(state)
    save_weights(args.output, network, card)
    load_weights(args.output)
    print(args.output)
    return 0


def _average(args: Average) -> int:
    from rmaunet.predict import load_weights, save_weights
    from rmaunet.predict.combine_weights import average_weights

    network, card = average_weights([load_weights(name) for name in args.weights], name=given_name(args.output))
    save_weights(args.output, network, card)
    _keep_fingerprints(args.output, args.weights)
    print(args.output)
    return 0


def _cascade(args: Cascade) -> int:
    from rmaunet.core.errors import UsageError
    from rmaunet.predict import load_weights, save_weights
    from rmaunet.predict.combine_weights import cascade_card

    if not 0 <= args.locator_share < 1:
        raise UsageError("models", "--locator-share", args.locator_share, "is no share", "give at least 0, less than 1")
    locator, refiner = load_weights(args.locator), load_weights(args.refiner)
    card = cascade_card(locator.card, refiner.card, name=given_name(args.output), locator_share=args.locator_share)
    save_weights(args.output, refiner.network(), card, locator=locator)
    _keep_fingerprints(args.output, (args.locator, args.refiner))
    print(args.output)
    return 0


def _keep_fingerprints(folder: Path, names: tuple[str, ...]) -> None:
    """Every training case of the parts can be recognised by the whole, as far as the parts could."""
    from rmaunet.leaks.fingerprint import join_fingerprints
    from rmaunet.predict.weights import FINGERPRINTS, fingerprint_file

    files = [file for file in map(fingerprint_file, names) if file is not None]
    join_fingerprints(folder / FINGERPRINTS, files)


def _tensors(path: Path) -> dict[str, Any]:
    """The state dict of a .pt file. Its pickle may name tensors and containers only; nothing else is tried."""
    import zipfile

    import torch

    from rmaunet.core.errors import ModelError

    if not path.is_file():
        raise ModelError(path, "file", None, "does not exist, or is no regular file", "give a .pt file")
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            total = sum(member.file_size for member in archive.infolist())
        if total > max(MOST_RATIO * path.stat().st_size, 1 << 20):
            raise ModelError(path, "unpacked bytes", total, "are too many for a file of its size", "export it again")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile pickle raises almost anything
        text = " ".join((str(error).splitlines() or [""])[0].split())[:160] or type(error).__name__
        problem = f"is not a file of tensors alone ({text})"
        raise ModelError(path, "content", None, problem, "export network.state_dict()") from error
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    named = isinstance(state, dict) and all(isinstance(key, str) for key in state)
    if not isinstance(state, dict) or not named or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise ModelError(path, "content", None, "holds no state dict", "export network.state_dict()")
    return state
