"""What identifies a patient stays in the DICOM SEG; no command opens a socket."""

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

import dicom_writer as w
from rmaunet.cli.main import main
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, save_weights
from rmaunet.preprocess import Preprocessing

MARKUP = "<img src=x onerror=alert(1)>"
TELLING = {
    "PatientName": f"{MARKUP}^Zebulon",
    "PatientID": "PID-991",
    "PatientBirthDate": "19330411",
    "AccessionNumber": "ACC-552",
    "StudyID": "STUDY-663",
    "StudyDate": "20210317",
    "StudyDescription": "Follow up of Zebulon",
    "SeriesDescription": "Zebulon venous",
    "ReferringPhysicianName": "Quimby^Ada",
    "InstitutionName": "Hospital of Nowhere",
    "PatientAddress": "Elm Street 7",
    "PatientComments": "likes tea",
}
SECRETS = ("<img src=x", "Zebulon", "PID-991", "19330411", "ACC-552", "STUDY-663", "20210317", "Quimby", "Nowhere",
           "Elm Street", "likes tea")  # fmt: skip
NO_SOCKETS = """
import sys
def refuse(event, args):
    if event.startswith("socket.") and event != "socket.gethostname":
        raise SystemExit("a socket: " + event)
sys.addaudithook(refuse)
from rmaunet.cli.main import run
run()
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that calls bright voxels liver and the brightest tumor, so that every output has content."""
    folder = tmp_path_factory.mktemp("weights")
    settings = NetworkSettings(base=1)
    network = build_network(settings)
    card = ModelCard(name="tiny", network=settings, preprocessing=Preprocessing(size=16))
    save_weights(folder, network, card)
    return folder


def tell(index: int, data: pydicom.Dataset) -> None:
    for keyword, value in TELLING.items():
        setattr(data, keyword, value)
    private = data.private_block(0x0011, "Zebulon", create=True)
    private.add_new(0x01, "LO", "Zebulon's private tag")


def segment(folder: Path, out: Path, weights: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = ["segment", "-i", str(folder), "-o", str(out), "-w", str(weights), *more]
    return subprocess.run([sys.executable, "-c", NO_SOCKETS, *words], capture_output=True, text=True, check=False)


def leaks(data: bytes | str) -> list[str]:
    raw = data.encode() if isinstance(data, str) else data
    return [secret for secret in SECRETS if secret.encode() in raw]


def test_a_series_without_sockets_leaves_no_name_behind(tmp_path: Path, weights: Path) -> None:
    series, out = w.series(tmp_path / "ct", tell), tmp_path / "out"
    done = segment(series, out, weights, "--report", "--lesions", "--format", "nifti", "nrrd", "dicom-seg")
    assert done.returncode == 0, done.stderr
    assert leaks(done.stdout + done.stderr) == []
    files = {file.name: file.read_bytes() for file in out.iterdir()}
    assert set(files) == {
        "ct_seg.nii.gz", "ct_seg.seg.nrrd", "ct_seg.dcm", "ct_overlay.png", "ct_report.html", "ct_run.json",
    }  # fmt: skip
    for name, data in files.items():
        assert leaks(name) == []
        if not name.endswith(".dcm"):
            assert leaks(data) == [], name
    assert leaks(nib.load(out / "ct_seg.nii.gz").header.binaryblock) == []
    seg = pydicom.dcmread(out / "ct_seg.dcm")
    assert str(seg.PatientName) == TELLING["PatientName"]
    kept = ("PatientID", "PatientBirthDate", "AccessionNumber", "StudyID", "StudyDate", "ReferringPhysicianName")
    assert all(str(seg.get(keyword)) == TELLING[keyword] for keyword in kept)
    assert "private" not in str(seg)


def test_what_is_asked_for_is_shown_escaped(tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    series, out = w.series(tmp_path / "ct", tell), tmp_path / "out"
    words = ["segment", "-i", str(series), "-o", str(out), "-w", str(weights), "--report", "--include-phi"]
    assert main([*words, "--no-overlay"]) == 0
    page = (out / "ct_report.html").read_text()
    assert "&lt;img src=x onerror=alert(1)&gt;^Zebulon" in page
    assert "<img src=x" not in page
    assert "PID-991" in page
    assert json.loads((out / "ct_run.json").read_text())["identity"]["Patient"] == TELLING["PatientName"]
    mask = out / "ct_seg.nii.gz"
    for more, expected in (((), False), (("--include-phi",), True)):
        where = tmp_path / f"m{len(more)}"
        assert main(["measure", "-i", str(series), "-s", str(mask), "-o", str(where), "--no-overlay", *more]) == 0
        assert bool(leaks((where / "run.json").read_text())) is expected
        assert all(leaks(file.read_bytes()) == [] for file in where.iterdir() if file.name != "run.json")
    assert leaks(capsys.readouterr().out) == []


@pytest.mark.parametrize("skip", [(3,), (0, 1, 2, 3, 4, 5)], ids=["gap", "nothing"])
def test_no_error_names_the_patient(
    skip: tuple[int, ...], tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    series = w.series(tmp_path / "ct", tell, skip=skip)
    series.mkdir(exist_ok=True)
    assert main(["segment", "-i", str(series), "-o", str(tmp_path / "o"), "-w", str(weights)]) == 3
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert leaks(said.out + said.err) == []


def test_a_niftis_text_fields_do_not_travel(tmp_path: Path, weights: Path) -> None:
    image = nib.Nifti1Image(np.full((16, 16, 3), -1000, np.int16), np.diag([2.0, 2, 3, 1]))
    image.header["descrip"], image.header["aux_file"] = b"Zebulon 19330411", b"PID-991"
    image.header["intent_name"], image.header["db_name"] = b"ACC-552", b"Quimby"
    image.header.extensions.append(nib.nifti1.Nifti1Extension(6, b"Zebulon of Elm Street"))
    nib.save(image, tmp_path / "ct.nii")
    assert main(["segment", "-i", str(tmp_path / "ct.nii"), "-o", str(tmp_path / "o" / "m.nii"), "-w", str(weights),
                 "--report"]) == 0  # fmt: skip
    for file in (tmp_path / "o").iterdir():
        assert leaks(file.read_bytes()) == [], file.name
