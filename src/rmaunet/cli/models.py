"""``rmaunet models list | show | verify | import | join``: weights and their cards."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

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
class Join:
    """Join weights of one network and one preprocessing into an ensemble: the mean of their probabilities."""

    weights: tyro.conf.Positional[tuple[str, ...]]
    """Names or folders, two or more."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder of the result; its name becomes the weights' name."""


ACTIONS: dict[str, type[Any]] = {"list": List, "show": Show, "verify": Verify, "import": Import, "join": Join}


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    if not argv or argv[0] not in ACTIONS:
        asked = bool(argv) and argv[0] in ("-h", "--help")
        print(
            "usage: rmaunet models {list,show,verify,import,join} [options]", file=sys.stdout if asked else sys.stderr
        )
        for name, kind in ACTIONS.items():
            print(f"  {name:<8} {(kind.__doc__ or '').splitlines()[0]}", file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    args = tyro.cli(ACTIONS[argv[0]], args=argv[1:], prog=f"rmaunet models {argv[0]}")
    if isinstance(args, List):
        return _list(args)
    if isinstance(args, Show):
        return _show(args)
    if isinstance(args, Join):
        return _join(args)
    return _verify(args) if isinstance(args, Verify) else _import(args)


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

    from rmaunet.predict import load_weights
    from rmaunet.settings import to_dict

    print(json.dumps(to_dict(load_weights(args.weights).card), indent=2))
    return 0


def _verify(args: Verify) -> int:
    from rmaunet.predict import load_weights

    weights = load_weights(args.weights)
    count = sum(tensor.numel() for tensor in weights.state.values())
    print(f"ok: {weights.card.name}: {len(weights.state)} tensors, {count} values, sha256 {weights.card.sha256}")
    return 0


def _import(args: Import) -> int:
    import json
    import pickle

    import torch

    from rmaunet.errors import ModelError
    from rmaunet.networks.build import build_network
    from rmaunet.predict import ModelCard, load_weights, save_weights
    from rmaunet.settings import from_dict

    try:
        card = from_dict(ModelCard, json.loads(args.card.read_text()), subject=str(args.card))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(args.card, "content", None, f"cannot be read ({error})", "give a card.json") from error
    try:
        content = torch.load(args.source, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            args.source, "content", None, f"is not a file of tensors ({text})", "export a state dict"
        ) from error
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ModelError(args.source, "content", None, "holds no state dict", "export network.state_dict()")
    try:
        network = build_network(card.network, in_channels=card.preprocessing.channels, classes=card.classes)
        network.load_state_dict(state)
    except (RuntimeError, ValueError, TypeError) as error:
        text = " ".join(str(error).split())[:300]
        raise ModelError(args.source, "state", None, text, "give the card of this network") from error
    save_weights(args.output, network, card)
    load_weights(args.output)
    print(args.output)
    return 0


def _join(args: Join) -> int:
    from rmaunet.predict import load_weights, save_weights
    from rmaunet.predict.ensemble import join_weights

    network, card = join_weights([load_weights(name) for name in args.weights], name=args.output.name)
    save_weights(args.output, network, card)
    print(args.output)
    return 0
