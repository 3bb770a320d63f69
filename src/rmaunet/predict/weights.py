"""Weights and their card: a folder with ``model.safetensors`` (half precision) and ``card.json``.

``fingerprints.json`` beside them, where it is, lets the training cases be recognised (:mod:`rmaunet.leaks.fingerprint`).

No pickle is ever loaded here. After reading, keys, shapes, types and finiteness are checked against the network the card
describes, and the file's SHA-256 against the card's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rmaunet.core.errors import ModelError, RmaunetError
from rmaunet.core.files import make_folder, write_bytes, write_json
from rmaunet.core.settings import from_dict, read_json, to_dict
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict.postprocess.clean_labels import Postprocessing
from rmaunet.predict.weights_licence import UNSTATED_LICENCE
from rmaunet.preprocess import Preprocessing

if TYPE_CHECKING:  # PyTorch takes longer to import than a converted network to start: only those who need tensors pay
    from torch import Tensor, nn

__all__ = [
    "FINGERPRINTS",
    "ModelCard",
    "Weights",
    "checked_state",
    "fingerprint_file",
    "load_card",
    "load_weights",
    "save_weights",
    "shipped_weights",
]

SHIPPED = Path(__file__).parents[1] / "models"
FINGERPRINTS = "fingerprints.json"
LOCATOR = "locator"


@dataclass(frozen=True)
class ModelCard:
    """What weights are, how they were made and what they are for.

    Attributes:
        name: Short name.
        network: Builds the network.
        preprocessing: What the network expects.
        postprocessing: What is done to its output.
        classes: Output channels: liver (with tumor), tumor.
        licence: Licence of the weights; see :mod:`rmaunet.predict.weights_licence`.
        intended_use: What they are for, and not for.
        trained_on: Case names.
        experiment: The experiment they come from, as stored settings.
        training: Steps, seconds, commit, machine, versions.
        results: Validation figures with their protocol.
        sha256: Of ``model.safetensors``.
        locator: SHA-256 of the tensors of the weights in ``locator/``, which find the liver first; empty where there are none.
        locator_share: Share of the locator's probabilities in the mean of both networks' around the liver; 0 for none.
    """

    name: str
    network: NetworkSettings = field(default_factory=NetworkSettings)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    postprocessing: Postprocessing = field(default_factory=Postprocessing)
    classes: int = 2
    licence: str = UNSTATED_LICENCE
    intended_use: str = "Research on liver and liver tumors in abdominal CT of adults; not a medical device."
    trained_on: tuple[str, ...] = ()
    experiment: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""
    locator: str = ""
    locator_share: float = 0.0

    retired: ClassVar[Mapping[str, Any]] = {"flips": "none"}

    def __post_init__(self) -> None:
        """Validate ``locator_share`` (0 <= share < 1)."""
        if not 0 <= self.locator_share < 1:
            raise ValueError(f"locator_share = {self.locator_share}: must be at least 0 and below 1")

    @property
    def identity(self) -> str:
        """What names these weights and no others: their checksum, with the locator's where there is one."""
        return f"{self.sha256}+{self.locator}" if self.locator else self.sha256


@dataclass(frozen=True)
class Weights:
    """A card and the tensors it describes, float32.

    Attributes:
        card: What they are.
        state: Tensors by name.
        folder: Where they were read.
        locator: The weights that find the liver first, where there are some.
        size: Bytes of the file that they were read from; 0 where there was none.
    """

    card: ModelCard
    state: Mapping[str, Tensor]
    folder: Path | None = None
    locator: Weights | None = None
    size: int = 0

    @property
    def parameters(self) -> int:
        """Numbers in the tensors, about; tensors that wait in their file are left there."""
        return self.size // 2 or sum(tensor.numel() for tensor in self.state.values())

    def located_by(self, locator: Weights) -> Weights:
        """The same weights with others that find the liver first."""
        return replace(self.with_card(locator=locator.card.sha256), locator=locator)

    def with_card(self, **changes: Any) -> Weights:
        """The same weights with some fields of their card changed."""
        return replace(self, card=replace(self.card, **changes))

    def postprocessed(self, **changes: Any) -> Weights:
        """The same weights with some settings of their postprocessing changed."""
        return self.with_card(postprocessing=replace(self.card.postprocessing, **changes))

    def network(self) -> nn.Module:
        """The network with these weights, in evaluation mode."""
        network = _build(self.card)
        network.load_state_dict(dict(self.state))
        return network.eval().requires_grad_(False)


def _build(card: ModelCard) -> nn.Module:
    try:
        return build_network(card.network, in_channels=card.preprocessing.channels, classes=card.classes)
    except (ValueError, TypeError) as error:
        raise ModelError(card.name, "network", card.network.name, str(error), "correct card.json") from error


def shipped_weights() -> list[str]:
    """Names of the weights that come with the package."""
    return sorted(path.parent.name for path in SHIPPED.glob("*/card.json"))


def save_weights(folder: Path, network: nn.Module, card: ModelCard, *, locator: Weights | None = None) -> ModelCard:
    """Write weights in half precision with their card.

    Args:
        folder: Created if need be; older weights there are replaced.
        network: The network whose state is kept.
        card: Its description; the checksums are filled in.
        locator: Weights that find the liver first; written beside them, into ``locator/``.

    Returns:
        The card as written.

    Raises:
        OutputError: If the folder cannot be written.
        ModelError: If a weight is not finite in half precision.
    """
    import safetensors.torch
    import torch

    make_folder(folder)
    state: dict[str, Tensor] = {}
    for name, tensor in network.state_dict().items():
        kept = tensor.detach().cpu().contiguous()
        # Counters stay whole; statistics of batch norm stay float32: variances may lie outside half precision's range.
        halves = kept.is_floating_point() and "running_" not in name
        state[name] = kept.half() if halves else kept
        if kept.is_floating_point() and not torch.isfinite(state[name]).all():
            raise ModelError(card.name, name, None, "is not finite", "train again from an earlier checkpoint")
    data = safetensors.torch.save(state, metadata={"format": "pt"})
    found_by = save_weights(folder / LOCATOR, locator.network(), locator.card).sha256 if locator else ""
    card = replace(card, sha256=hashlib.sha256(data).hexdigest(), locator=found_by)
    write_bytes(folder / "model.safetensors", data)
    write_json(folder / "card.json", to_dict(card))
    return card


class _StateWhenAsked(Mapping[str, "Tensor"]):
    """The tensors of a file, read and checked when one is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def _state(self) -> Mapping[str, Tensor]:
        return load_weights(self._path).state

    def __getitem__(self, key: str) -> Tensor:
        return self._state[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._state)

    def __len__(self) -> int:
        return len(self._state)


def load_weights(name: str | Path, *, at_once: bool = True) -> Weights:
    """Read weights.

    Args:
        name: Name of shipped weights, a folder, or a ``.safetensors`` file with ``card.json`` beside it.
        at_once: False checks the card and the checksum now and leaves the tensors, and PyTorch, until they are used: a
            network converted before needs neither.

    Returns:
        Card and tensors, checked.

    Raises:
        ModelError: If they are not there, damaged, or do not fit their card.
    """
    card, tensor_path = load_card(name), _find(name)
    if not tensor_path.is_file():
        raise ModelError(tensor_path, "file", None, "is missing, or no regular file", "restore it")
    try:
        data = tensor_path.read_bytes()
    except OSError as error:
        raise ModelError(tensor_path, "file", error.strerror, "cannot be read", "restore it") from error
    found = hashlib.sha256(data).hexdigest()
    if found != card.sha256:
        raise ModelError(tensor_path, "sha256", found, f"the card says {card.sha256 or 'nothing'}", "restore the file")
    locator = _locator(card, tensor_path.parent, at_once=at_once)
    if not at_once:
        return Weights(card, _StateWhenAsked(tensor_path), tensor_path.parent, locator, len(data))
    import safetensors.torch

    try:
        state = safetensors.torch.load(data)
    except Exception as error:  # a damaged header makes the library raise almost anything
        text = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise ModelError(tensor_path, "content", None, f"is no safetensors file ({text})", "restore it") from error
    return Weights(card, checked_state(state, card, tensor_path), tensor_path.parent, locator, len(data))


def _locator(card: ModelCard, folder: Path, *, at_once: bool) -> Weights | None:
    """The weights that find the liver first, checked against the card that names them."""
    if not card.locator:
        return None
    locator = load_weights(folder / LOCATOR, at_once=at_once)
    if locator.card.sha256 != card.locator:
        raise ModelError(
            folder / LOCATOR, "sha256", locator.card.sha256, f"the card says {card.locator}", "restore the folder"
        )
    return locator


def load_card(name: str | Path) -> ModelCard:
    """Read the card alone.

    Args:
        name: As for :func:`load_weights`.

    Returns:
        The card; nothing is said about the tensors.

    Raises:
        ModelError: If it is not there or damaged.
    """
    path = _find(name).parent / "card.json"
    try:
        return from_dict(ModelCard, read_json(path), subject=str(path))
    except RmaunetError as error:
        raise ModelError(error.subject, error.field, error.value, error.problem, error.remedy) from error


def fingerprint_file(name: str | Path) -> Path | None:
    """The file with fingerprints of the training cases of weights.

    Args:
        name: As for :func:`load_weights`.

    Returns:
        ``fingerprints.json`` in the weights' folder, for :func:`rmaunet.leaks.fingerprint.read_fingerprints`; None if these
        weights have none.

    Raises:
        ModelError: If there are no such weights.
    """
    path = _find(name).parent / FINGERPRINTS
    return path if path.is_file() else None


def weights_files(name: str | Path) -> list[Path]:
    """Every file of weights: tensors, card, fingerprints, and those of the weights that find the liver for them.

    Raises:
        ModelError: If there are no such weights.
    """
    folder = _find(name).parent
    parts = [folder, folder / LOCATOR]
    files = [part / file for part in parts for file in ("model.safetensors", "card.json", FINGERPRINTS)]
    return [file for file in (_find(name), *files) if file.is_file()]


def _find(name: str | Path) -> Path:
    """The file of the tensors; its card stands beside it."""
    if str(name) in shipped_weights():
        return SHIPPED / str(name) / "model.safetensors"
    path = Path(name)
    if path.suffix in (".pt", ".pth", ".ckpt", ".bin", ".pkl"):
        remedy = "turn it into weights with `rmaunet models import`"
        raise ModelError(path, "weights", path.suffix, "files that may hold code are not loaded", remedy)
    folder = path.parent if path.suffix == ".safetensors" else path
    if not (folder / "card.json").is_file():
        known = ", ".join(shipped_weights()) or "none are shipped"
        remedy = f"name shipped weights ({known}) or give a folder with card.json and model.safetensors"
        raise ModelError(path, "weights", str(name), "not found", remedy)
    return path if path.suffix == ".safetensors" else folder / "model.safetensors"


def checked_state(state: Mapping[str, Tensor], card: ModelCard, path: Path) -> dict[str, Tensor]:
    """Tensors that fit the network of a card.

    Args:
        state: By name, from anywhere.
        card: Describes the network.
        path: The file, for messages.

    Returns:
        The same in float32; counters stay whole.

    Raises:
        ModelError: If a key, shape, type or value is none of this network's.
    """
    import torch

    floats = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
    with torch.device("meta"):
        expected = _build(card).state_dict()
    for key in sorted(expected.keys() ^ state.keys()):
        where = "is missing" if key in expected else "belongs to no part of the network"
        raise ModelError(path, key, None, where, "these weights are of another network")
    for key, tensor in state.items():
        if tensor.shape != expected[key].shape:
            shapes = f"expected {tuple(expected[key].shape)}"
            raise ModelError(path, f"{key} shape", tuple(tensor.shape), shapes, "these weights are of another network")
        fits = tensor.dtype in floats if expected[key].is_floating_point() else tensor.dtype == expected[key].dtype
        if not fits or tensor.layout != torch.strided:
            raise ModelError(path, f"{key} type", str(tensor.dtype), "is of another type", "restore the file")
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ModelError(path, key, None, "holds values that are not finite", "restore the file")
    return {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in state.items()}
