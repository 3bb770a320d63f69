"""Every runtime computes what PyTorch computes; the choice follows the rule; conversions are kept and nothing is sent."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from rmaunet.core.errors import ModelError, UsageError
from rmaunet.core.files import cache_folder
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, Weights
from rmaunet.predict import choose_runtime as choose_module
from rmaunet.predict.choose_runtime import choose_runtime
from rmaunet.runtimes import openvino_runtime as openvino_module
from rmaunet.runtimes.conversion_cache import converted


def lively(network):
    """Batch norms with statistics of their own, as after training."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.copy_(torch.randn(module.num_features, generator=generator) * 0.3)
            module.running_var.copy_(torch.rand(module.num_features, generator=generator) + 0.5)
    return network.eval()


@pytest.fixture(scope="module")
def weights():
    torch.manual_seed(0)
    settings = NetworkSettings(base=4)
    network = lively(build_network(settings))
    return Weights(ModelCard(name="tiny", network=settings, sha256="ab" * 32), dict(network.state_dict()))


def slab(*shape):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize("name", ["openvino", "onnxruntime"])
def test_float32_runtimes_agree_with_torch_at_any_size_and_batch(weights, name):
    reference = choose_runtime(weights, runtime="torch").runtime
    runtime = choose_runtime(weights, runtime=name).runtime
    assert (runtime.name, runtime.precision, runtime.device) == (name, "float32", "cpu")
    for shape in ((4, 1, 32, 48), (1, 1, 32, 48), (2, 1, 64, 16), (5, 1, 64, 16)):
        x = slab(*shape)
        found = runtime(x)
        assert found.shape == (shape[0], 2, *shape[2:])
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, reference(x), atol=2e-5)


@pytest.mark.parametrize("name", ["openvino", "onnxruntime"])
@pytest.mark.parametrize(
    "settings",
    [NetworkSettings(base=4, options={"norm": "instance"}), NetworkSettings(name="unet", base=4)],
    ids=["instance norm", "unet"],
)
def test_other_runtimes_take_what_a_card_can_describe(settings, name):
    torch.manual_seed(0)
    state = dict(lively(build_network(settings)).state_dict())
    weights = Weights(ModelCard(name="tiny", network=settings), state)
    x = slab(2, 1, 32, 48)
    found = choose_runtime(weights, runtime=name).runtime(x)
    np.testing.assert_allclose(found, choose_runtime(weights, runtime="torch").runtime(x), atol=2e-5)


def test_a_conversion_is_made_once_for_weights_of_a_checksum(weights, monkeypatch):
    choose_runtime(weights, runtime="openvino")

    def refuse(self):
        raise AssertionError("converted again")

    monkeypatch.setattr(Weights, "network", refuse)
    assert choose_runtime(weights, runtime="openvino").runtime.name == "openvino"
    other = weights.with_card(sha256="cd" * 32)
    with pytest.raises(UsageError, match="converted again"):
        choose_runtime(other, runtime="openvino")
    assert not list((cache_folder() / "converted").glob(".partial-*"))


def test_a_conversion_that_fails_or_cannot_be_kept_leaves_nothing(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("RMAUNET_CACHE", str(tmp_path))

    def fail(path):
        path.write_text("half")
        raise RuntimeError("disk gone")

    with pytest.raises(RuntimeError, match="disk gone"), converted("ef" * 32, "m", "lib1", fail):
        pass
    assert not list((cache_folder() / "converted").iterdir())
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("RMAUNET_CACHE", str(blocked))
    with converted("ef" * 32, "m", "lib1", lambda path: path.write_text("whole")) as path:
        assert path.read_text() == "whole"
    assert not path.exists()
    assert "RMAUNET_CACHE" in caplog.text


def test_auto_takes_openvino_on_a_cpu_and_says_why(weights):
    choice = choose_runtime(weights, device="cpu")
    assert choice.runtime.name == "openvino"
    assert choice.runtime.precision == "float32"
    assert choice.why.startswith("first of openvino, torch that can be used on cpu")


def test_auto_goes_on_to_torch_with_the_reason(weights, monkeypatch):
    def missing():
        raise ImportError("no such library")

    monkeypatch.setattr(openvino_module, "import_openvino", missing)
    choice = choose_runtime(weights, device="cpu")
    assert choice.runtime.name == "torch"
    assert "openvino cannot be used here (no such library" in choice.why
    with pytest.raises(UsageError, match=r"--runtime = openvino.*no such library.*use --runtime auto"):
        choose_runtime(weights, runtime="openvino", device="cpu")


def test_bfloat16_is_automatic_only_where_the_processor_has_it_and_its_masks_agreed(weights, monkeypatch):
    monkeypatch.setattr(openvino_module, "openvino_precisions", lambda: ("float32", "bfloat16"))
    assert choose_runtime(weights, device="cpu").runtime.precision == "float32"
    monkeypatch.setattr(choose_module, "ACCEPTED", frozenset({("openvino", "bfloat16", "cpu")}))
    assert choose_runtime(weights, device="cpu").runtime.precision == "bfloat16"
    monkeypatch.setattr(openvino_module, "openvino_precisions", lambda: ("float32",))
    assert choose_runtime(weights, device="cpu").runtime.precision == "float32"
    with pytest.raises(UsageError, match="no bfloat16 instructions"):
        choose_runtime(weights, runtime="openvino", device="cpu", precision="bfloat16")


def test_what_cannot_be_is_refused_in_one_line(weights):
    for options in (
        {"runtime": "openvino", "device": "cuda"},
        {"runtime": "onnxruntime", "precision": "bfloat16"},
        {"device": "cuda:99"},
    ):
        with pytest.raises(UsageError, match="cannot be used here") as caught:
            choose_runtime(weights, **options)
        assert "\n" not in str(caught.value)


def test_a_network_that_does_not_compile_is_an_error_with_a_way_out(weights):
    runtime = choose_runtime(weights, runtime="openvino").runtime
    with pytest.raises(ModelError, match="--runtime torch"):
        runtime(slab(1, 3, 32, 32))  # three channels where the network takes one


def test_openvinos_telemetry_cannot_be_imported(weights):
    choose_runtime(weights, runtime="openvino")
    assert sys.modules["openvino_telemetry"] is None
    with pytest.raises(ImportError):
        import openvino_telemetry  # noqa: F401


def test_a_converted_network_starts_without_pytorch(tmp_path):
    save = "from rmaunet.predict import load_weights; from rmaunet.predict.choose_runtime import choose_runtime; import sys; "
    save += "r = choose_runtime(load_weights('fast', at_once=False), device='cpu').runtime; "
    save += "import numpy as np; p = r(np.zeros((1, 3, 32, 32), np.float32)); print(r.name, p.shape, 'torch' in sys.modules)"
    for with_torch in (True, False):  # converted by the first, read by the second
        own = {**os.environ, "RMAUNET_CACHE": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", save], capture_output=True, text=True, check=True, env=own)
        assert done.stdout.split("\n")[0] == f"openvino (1, 2, 32, 32) {with_torch}"


@pytest.mark.parametrize("name", ["torch", "openvino", "onnxruntime"])
def test_denormals_are_numbers_to_the_caller_of_a_runtime(weights, name):
    def halved():
        tiny = np.full(64, np.finfo(np.float32).tiny) * np.float32(0.5)
        return tiny.view(np.uint32)  # as numbers they would be compared as zeros

    assert halved().all()
    runtime = choose_runtime(weights, runtime=name).runtime
    assert halved().all()
    runtime(slab(1, 1, 32, 32))
    assert halved().all()


def test_denormals_are_zero_in_the_threads_pytorch_starts_and_nowhere_after():
    code = "import torch; from rmaunet.runtimes.torch_runtime import TorchRuntime\n"
    code += "class Tiny(torch.nn.Module):\n"
    code += "    def forward(self, x):\n"
    code += "        tiny = torch.full((1 << 20,), 1e-40) * torch.ones(1 << 20)\n"  # large enough for every thread
    code += "        return torch.stack([x[:, 0], x[:, 0] + (tiny != 0).sum()], 1)\n"
    code += "import numpy as np; torch.set_num_threads(4)\n"
    code += "p = TorchRuntime(Tiny())(np.zeros((1, 1, 16, 16), np.float32))\n"
    code += "print(p[0, 1].max(), float(torch.tensor(1e-40) * 1) != 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0.5", "True"]
