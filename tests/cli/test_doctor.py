"""rmaunet doctor says what is here, and its check fails where something is broken."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from rmaunet.cli import doctor
from rmaunet.cli.main import main
from rmaunet.cohort import self_check as selfcheck
from rmaunet.cohort.self_check import self_check
from rmaunet.core.errors import ModelError
from rmaunet.core.volume import Volume
from rmaunet.io.dicom import sample_images as dicom_samples
from rmaunet.io.dicom.codecs import CodestreamError
from rmaunet.predict import Prediction, weights
from rmaunet.preprocess import Preprocessing, prepare

SMALL = (16, 48, 48)


@dataclass
class Oracle:
    """In place of the network: the phantom's own mask, changed."""

    change: object = staticmethod(lambda array: array)

    def predict(self, ct: Volume) -> Prediction:
        truth = selfcheck.phantom("abdomen", seed=1, shape=SMALL).mask
        mask = Volume(array=self.change(truth.array), affine=ct.affine, coordinate_system="PATIENT")
        return Prediction(mask, prepare(ct, Preprocessing()))


def steps(change=lambda array: array) -> dict[str, str | None]:
    return {step.name: step.fault for step in self_check(Oracle(change), shape=SMALL)}


def test_the_whole_installation_is_well(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(selfcheck, "self_check", lambda predictor: self_check(Oracle(), shape=SMALL))
    code = main(["doctor", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert all(fault is None for fault in found["decoders"].values())
    assert len(found["decoders"]) == 9
    assert [step["name"] for step in found["check"]][1] == "segment a phantom"
    assert [step["fault"] for step in found["check"]] == [None] * 6
    assert all(row["fault"] is None and len(row["sha256"]) == 64 for row in found["weights"])
    assert found["threads"]["cores"] >= found["threads"]["usable"] >= 1
    assert code == 0
    assert found["ok"] is True
    assert isinstance(found["viewer"], bool)


def test_a_mask_that_is_right_passes_every_step() -> None:
    assert list(steps().values()) == [None] * 6


@pytest.mark.parametrize(
    "change",
    [np.zeros_like, lambda array: array[:, :, ::-1], lambda array: np.roll(array, 9, 1)],
    ids=["empty", "mirrored", "moved"],
)
def test_a_network_that_is_wrong_fails(change) -> None:
    found = steps(lambda array: np.ascontiguousarray(change(array)))
    assert "liver Dice" in found["segment a phantom"]
    assert "write and read .nii.gz" not in found


def test_a_writer_that_is_wrong_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selfcheck, "read_mask", lambda path, like: like.volume)
    found = steps()
    assert found["write and read .seg.dcm"] is not None
    assert "other voxels" in found["write and read .seg.dcm"]
    assert found["measure"] is None


def test_a_broken_decoder_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*args: object) -> None:
        raise CodestreamError("cannot be decompressed")

    monkeypatch.setattr(doctor, "_check", lambda usable: [])
    monkeypatch.setattr(dicom_samples, "decode_jpeg", broken)
    assert main(["doctor"]) == 1
    said = capsys.readouterr()
    assert "JPEG-LS FAILED" in said.out
    assert "RLE ok" in said.out
    assert "error: doctor: decoder JPEG 2000: CodestreamError: cannot be decompressed; " in said.err


def test_wrong_pixels_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_samples, "decode_rle", lambda coded, *size: np.zeros((8, 8), np.uint16))
    assert dicom_samples.decoder_faults()["RLE"] == "other pixels than were stored"


def test_unusable_weights_end_with_5(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def damaged(name: str) -> None:
        raise ModelError(name, "sha256", "0", "differs", "restore the file")

    monkeypatch.setattr(doctor, "_check", lambda usable: [])
    monkeypatch.setattr("rmaunet.predict.load_weights", damaged)
    assert main(["doctor"]) == 5
    assert "error: doctor: weights: fast: sha256 = 0: differs" in capsys.readouterr().err
    monkeypatch.setattr("rmaunet.predict.shipped_weights", list)
    assert main(["doctor", "--no-check"]) == 5
    assert weights.shipped_weights()
