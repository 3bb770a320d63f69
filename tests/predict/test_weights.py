import json

import numpy as np
import pytest
import safetensors.torch
import torch

from rmaunet.core.errors import ModelError
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, load_weights, save_weights

SETTINGS = NetworkSettings(base=2)


@pytest.fixture
def folder(tmp_path):
    save_weights(tmp_path / "w", build_network(SETTINGS), ModelCard(name="w", network=SETTINGS))
    return tmp_path / "w"


def rewrite(folder, change):
    state = safetensors.torch.load_file(folder / "model.safetensors")
    change(state)
    data = safetensors.torch.save(state)
    (folder / "model.safetensors").write_bytes(data)
    import hashlib

    edit(folder, sha256=hashlib.sha256(data).hexdigest())


def edit(folder, **values):
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, **values}))


def refused(folder, *texts):
    with pytest.raises(ModelError) as info:
        load_weights(folder)
    for text in texts:
        assert text in str(info.value)
    assert info.value.exit_code == 5


def test_unknown_weights_are_named_with_a_remedy():
    refused("no-such-weights", "no-such-weights", "not found", "card.json")


def test_changed_bytes_are_found_by_checksum(folder):
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    refused(folder, "sha256", "restore")


def test_a_cut_file_is_refused(folder):
    data = (folder / "model.safetensors").read_bytes()[:100]
    (folder / "model.safetensors").write_bytes(data)
    import hashlib

    edit(folder, sha256=hashlib.sha256(data).hexdigest())
    refused(folder, "no safetensors file")


def test_a_missing_tensor_is_named(folder):
    rewrite(folder, lambda s: s.pop("head.bias"))
    refused(folder, "head.bias", "is missing")


def test_a_tensor_too_many_is_named(folder):
    rewrite(folder, lambda s: s.update(extra=torch.zeros(1)))
    refused(folder, "extra", "belongs to no part")


def test_another_shape_is_named(folder):
    rewrite(folder, lambda s: s.update({"head.bias": torch.zeros(3, dtype=torch.float16)}))
    refused(folder, "head.bias shape", "(3,)", "(2,)")


def test_a_value_that_is_not_finite_is_named(folder):
    rewrite(folder, lambda s: s.update({"head.bias": torch.full((2,), np.nan, dtype=torch.float16)}))
    refused(folder, "head.bias", "not finite")


def test_whole_numbers_in_place_of_weights_are_refused(folder):
    rewrite(folder, lambda s: s.update({"head.bias": torch.zeros(2, dtype=torch.int32)}))
    refused(folder, "head.bias type")


def test_an_unknown_key_of_the_card_names_the_nearest(folder):
    edit(folder, licens="x")
    refused(folder, "licens", "licence")


def test_a_card_that_is_no_json_is_refused(folder):
    (folder / "card.json").write_text("{")
    refused(folder, "card.json", "is not valid JSON")


def test_an_unknown_network_is_refused(folder):
    edit(folder, network={"name": "rmaunte"})
    refused(folder, "rmaunte")


def test_a_network_that_is_not_finite_is_not_saved(tmp_path):
    network = build_network(SETTINGS)
    with torch.no_grad():
        network.head.bias.fill_(1e6)  # beyond half precision
    with pytest.raises(ModelError, match="not finite"):
        save_weights(tmp_path / "x", network, ModelCard(name="x", network=SETTINGS))
    assert not (tmp_path / "x" / "model.safetensors").exists()
