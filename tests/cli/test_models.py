"""rmaunet models verify and import: what is no sound set of weights is refused by one line and exit code 5."""

import hashlib
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from rmaunet.cli.main import main
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, load_weights, save_weights

SETTINGS = NetworkSettings(base=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    save_weights(tmp_path / "w", build_network(SETTINGS), ModelCard(name="w", network=SETTINGS))
    return tmp_path / "w"


def card(folder: Path, **values: object) -> None:
    path = folder / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def tensors(folder: Path, data: bytes) -> None:
    (folder / "model.safetensors").write_bytes(data)
    card(folder, sha256=hashlib.sha256(data).hexdigest())


def changed(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        state = safetensors.torch.load_file(folder / "model.safetensors")
        change(state)
        tensors(folder, safetensors.torch.save(state))

    return make


def whole(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


HALF = torch.float16
VERIFY: dict[str, tuple[Callable[[Path], object], str]] = {
    "no card": (lambda f: (f / "card.json").unlink(), "not found"),
    "no tensors": (lambda f: (f / "model.safetensors").unlink(), "model.safetensors: file: is missing"),
    "tensors are a pipe": (lambda f: fifo(f / "model.safetensors"), "no regular file"),
    "card is a pipe": (lambda f: fifo(f / "card.json"), "card.json"),
    "card is not valid JSON": (lambda f: (f / "card.json").write_text("{"), "is not valid JSON"),
    "card is a list": (lambda f: (f / "card.json").write_text("[]"), "is not a JSON object"),
    "card is nested absurdly": (lambda f: (f / "card.json").write_text("[" * 99999), "nested too deeply"),
    "card is no text": (lambda f: (f / "card.json").write_bytes(b"\xff{}"), "no UTF-8"),
    "card tells a key twice": (lambda f: (f / "card.json").write_text('{"name": "a", "name": "b"}'), "duplicate key"),
    "card without name": (lambda f: (f / "card.json").write_text("{}"), "name: is missing"),
    "an unknown key": (lambda f: card(f, licens="x"), "did you mean 'licence'"),
    "an unknown nested key": (lambda f: card(f, preprocessing={"sise": 3}), "did you mean 'size'"),
    "a setting out of range": (lambda f: card(f, preprocessing={"size": 7}), "size = 7"),
    "a setting of another type": (lambda f: card(f, classes="two"), "classes = 'two': is not int"),
    "an unknown network": (lambda f: card(f, network={"name": "rmaunte"}), "did you mean 'rmaunet'"),
    "a network beyond any machine": (lambda f: card(f, network={"base": 10**9}), "base = 1000000000"),
    "another checksum": (lambda f: card(f, sha256="0" * 64), "sha256"),
    "no checksum": (lambda f: card(f, sha256=""), "the card says nothing"),
    "a flipped byte": (lambda f: (f / "model.safetensors").write_bytes(whole(f)[:-1] + b"\x99"), "sha256"),
    "cut tensors": (lambda f: tensors(f, whole(f)[:-9]), "no safetensors file"),
    "an empty file": (lambda f: tensors(f, b""), "no safetensors file"),
    "a header of 8 exabytes": (lambda f: tensors(f, b"\xff" * 7 + b"\x7f" + b"{}"), "no safetensors file"),
    "a pickle for tensors": (lambda f: tensors(f, pickle.dumps({"a": 1})), "no safetensors file"),
    "a missing tensor": (changed(lambda s: s.pop("head.bias")), "head.bias: is missing"),
    "a tensor too many": (changed(lambda s: s.update(extra=torch.zeros(1))), "extra: belongs to no part"),
    "another shape": (changed(lambda s: s.update({"head.bias": torch.zeros(3, dtype=HALF)})), "head.bias shape = (3,)"),
    "NaN": (changed(lambda s: s["head.bias"].fill_(float("nan"))), "head.bias: holds values that are not finite"),
    "infinity": (changed(lambda s: s["head.bias"].fill_(float("inf"))), "not finite"),
    "whole numbers": (changed(lambda s: s.update({"head.bias": torch.zeros(2, dtype=torch.int32)})), "another type"),
    "eight-bit floats": (
        changed(lambda s: s.update({"head.bias": torch.zeros(2).to(torch.float8_e4m3fn)})),
        "another type",
    ),
}


def refused(capsys: pytest.CaptureFixture[str], words: list[object], text: str) -> None:
    assert main([str(word) for word in words]) == 5
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("error: ")
    assert text in line


@pytest.mark.parametrize("name", VERIFY)
def test_verify_refuses(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, text = VERIFY[name]
    make(folder)
    refused(capsys, ["models", "verify", folder], text)


def test_verify_takes_folder_and_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (folder, folder / "model.safetensors"):
        assert main(["models", "verify", str(path)]) == 0
        assert capsys.readouterr().out.startswith("ok: w: ")
    (folder / "other.safetensors").write_bytes(b"x")  # the file that is named is the file that is checked
    refused(capsys, ["models", "verify", folder / "other.safetensors"], "other.safetensors: sha256")


class Hostile:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch pwned",)


class HostileTensor(torch.nn.Parameter):
    def __reduce_ex__(self, protocol: object) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch pwned",)


def _state(path: Path, change: Callable[[dict[str, object]], object] = lambda state: None) -> None:
    torch.manual_seed(5)
    state: dict[str, object] = dict(build_network(SETTINGS).state_dict())
    change(state)
    torch.save(state, path)


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        archive.writestr("archive/data/0", bytes(30 << 20))


NAN = torch.full((2,), float("nan"))
IMPORT: dict[str, tuple[Callable[[Path], object], str]] = {
    "a hostile pickle": (lambda p: p.write_bytes(pickle.dumps(Hostile())), "not a file of tensors alone"),
    "a hostile archive": (lambda p: torch.save(Hostile(), p), "not a file of tensors alone"),
    "a hostile state": (lambda p: torch.save({"state_dict": {"a": Hostile()}}, p), "not a file of tensors alone"),
    "a hostile tensor": (lambda p: torch.save({"head.bias": HostileTensor(NAN)}, p), "not a file of tensors alone"),
    "a whole network": (lambda p: torch.save(build_network(SETTINGS), p), "not a file of tensors alone"),
    "a bomb": (bomb, "too many for a file of its size"),
    "nothing": (lambda p: p.write_bytes(b""), "not a file of tensors alone"),
    "text": (lambda p: p.write_text("liver"), "not a file of tensors alone"),
    "a cut archive": (lambda p: (_state(p), p.write_bytes(p.read_bytes()[:999])), "not a file of tensors alone"),
    "no file": (lambda p: None, "does not exist"),
    "a pipe": (lambda p: os.mkfifo(p), "no regular file"),
    "a list": (lambda p: torch.save([torch.zeros(1)], p), "no state dict"),
    "numbers": (lambda p: torch.save({"a": 1.0}, p), "no state dict"),
    "keys that are no text": (lambda p: torch.save({1: torch.zeros(1)}, p), "no state dict"),
    "another network": (lambda p: torch.save({"a": torch.zeros(1)}, p), "these weights are of another network"),
    "NaN": (lambda p: _state(p, lambda s: s.update({"head.bias": NAN})), "head.bias: holds values that are not finite"),
    "complex": (lambda p: _state(p, lambda s: s.update({"head.bias": NAN * 1j})), "head.bias type"),
    "sparse": (lambda p: _state(p, lambda s: s.update({"head.bias": torch.zeros(2).to_sparse()})), "head.bias type"),
    "beyond half precision": (lambda p: _state(p, lambda s: s["head.bias"].fill_(1e6)), "not finite"),
}


@pytest.mark.parametrize("name", IMPORT)
@pytest.mark.filterwarnings("ignore")
def test_import_refuses(
    name: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make, text = IMPORT[name]
    make(tmp_path / "x.pt")
    refused(
        capsys, ["models", "import", tmp_path / "x.pt", "--card", folder / "card.json", "-o", tmp_path / "out"], text
    )
    assert not (tmp_path / "pwned").exists()
    assert not (tmp_path / "out" / "model.safetensors").exists()


@pytest.mark.parametrize("wrapped", [False, True])
def test_import_makes_weights_that_verify(wrapped: bool, folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(5)
    network = build_network(SETTINGS)
    state = network.state_dict()
    torch.save({"state_dict": state} if wrapped else state, tmp_path / "x.pt")
    words = ["models", "import", tmp_path / "x.pt", "--card", folder / "card.json", "-o", tmp_path / "out"]
    assert main([str(word) for word in words]) == 0
    found = load_weights(tmp_path / "out").state
    for key, tensor in state.items():
        assert torch.allclose(found[key].double(), tensor.double(), atol=1e-3)


def test_a_pt_file_is_only_imported(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _state(tmp_path / "x.pt")
    refused(capsys, ["models", "verify", tmp_path / "x.pt"], "`rmaunet models import`")
    (tmp_path / "ct.nii").write_bytes(b"x")
    words = ["segment", "-i", tmp_path / "ct.nii", "-o", tmp_path / "o", "-w", tmp_path / "x.pt"]
    refused(capsys, words, "`rmaunet models import`")
