"""The report in a real browser, opened from disk: it starts, jumps to a lesion, and neither errs nor reaches out."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
import torch
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from rmaunet.cli.main import main
from rmaunet.datasets.phantoms.phantom import Phantom, phantom
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, Postprocessing, save_weights
from rmaunet.preprocess import Preprocessing
from rmaunet.report.page import write_report

browsing = pytest.importorskip("browsing", reason="run from the repository")

pytestmark = [pytest.mark.timeout(600), *browsing.NEEDS]
EVIL = "<img src=x onerror=alert(1)></title></script><script>alert(2)</script>"


@pytest.fixture(scope="module")
def made() -> Phantom:
    return phantom(seed=3, shape=(48, 80, 80), lesions=3)


@pytest.fixture(scope="module")
def report(made: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("browser") / "a <b> #report.html"
    write_report(made.ct, made.mask, path, title=EVIL, notes=[EVIL], facts={EVIL: EVIL})
    return path


def test_a_click_on_a_lesion_moves_the_crosshair_there(report: Path, made: Phantom) -> None:
    with browsing.opened(report) as found:
        page = found.page
        browsing.check_report(found)
        browsing.check_letters(found)
        assert page.title() == EVIL
        rows = page.locator("tr[data-lesion]")
        assert rows.count() == 3
        seen = []
        for i in (2, 0, 1):
            at = found.go_to(rows.nth(i))
            near = min(np.linalg.norm(at * [-1, -1, 1] - lesion.center_mm) for lesion in made.lesions)
            assert near < 8.0
            assert "tumor" in page.inner_text("#readout")
            seen.append(at)
        assert min(np.linalg.norm(seen[0] - seen[1]), np.linalg.norm(seen[1] - seen[2])) > 5.0
        # Every control works without an error; a click into a plane moves the crosshair.
        for name in ("Liver", "Wide", "Abdomen"):
            page.get_by_role("button", name=name).click()
        page.locator("#opacity").fill("80")
        page.locator("#outline").uncheck()
        assert np.linalg.norm(found.click_plane(0.1, 0.3) - seen[-1]) > 5.0
        rows.nth(0).focus()
        page.keyboard.press("Enter")
        found.wait_for_crosshair(seen[1])
        browsing.check_nothing_is_wrong(found)


def colors(found: Any) -> dict[str, int]:
    """How many pixels of the planes are teal, and how many orange."""
    red, green, blue = found.planes()
    teal = (blue - red > 60) & (green - red > 50)
    orange = (red - blue > 80) & (green > blue) & (red > green)
    return {"liver": int(teal.sum()), "tumor": int(orange.sum())}


def test_planes_show_contours_in_radiological_display(report: Path) -> None:
    with browsing.opened(report, width=800, height=700) as found:
        page = found.page
        found.go_to(page.locator("tr[data-lesion]").first)
        thin = colors(found)
        assert min(thin.values()) > 50
        bright = found.planes().min(axis=0) > 150
        assert bright.mean(axis=0).max() > 0.6  # the crosshair's upright line, and no organ, is as tall
        page.locator("#outline").uncheck()
        assert colors(found) == {"liver": 0, "tumor": 0}
        page.locator("#opacity").fill("100")
        filled = colors(found)
        assert filled["liver"] > 3 * thin["liver"]
        assert filled["tumor"] > thin["tumor"]
        browsing.check_clicks(found)
        browsing.check_letters(found)
        # A narrow window: nothing sticks out, and the viewer still draws.
        page.set_viewport_size({"width": 390, "height": 844})
        found.wait_until(
            lambda: page.evaluate("document.documentElement.scrollWidth") == 390,
            lambda: "in a window of 390 pixels the page is wider",
        )
        found.go_to(page.locator("tr[data-lesion]").first)
        assert min(colors(found).values()) > 50
        browsing.check_nothing_is_wrong(found)


def test_without_webgl_the_pictures_stand_in(report: Path) -> None:
    with browsing.opened(report, webgl=False) as found:
        page = found.page
        assert page.get_attribute("html", "data-viewer") == "failed"
        assert page.locator("#viewer-missing").is_visible()
        assert not page.locator("#viewer").is_visible()
        assert page.locator("figure img").count() >= 2
        assert all(page.locator("figure img").nth(i).bounding_box()["width"] > 100 for i in range(2))
        page.locator("tr[data-lesion]").nth(0).click()
        page.emulate_media(media="print")
        assert not page.locator("#viewer-missing").is_visible()
        found.settle()
        assert [line for line in found.wrong if "WebGL" not in line] == []


def hostile(what: str) -> str:
    return f"<img src=x onerror=alert('{what}')>"


def write_series(made: Phantom, folder: Path) -> Path:
    """The phantom as a CT series whose names are markup, in a folder and in files whose names are."""
    folder = folder / hostile("folder")
    folder.mkdir(parents=True)
    ct, uid = made.ct, generate_uid()
    dz, dy, dx = ct.spacing
    for index, plane in enumerate(ct.array):
        data = pydicom.Dataset()
        data.file_meta = pydicom.dataset.FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
        data.Modality, data.SeriesInstanceUID, data.StudyInstanceUID = "CT", uid, generate_uid(entropy_srcs=["study"])
        data.PatientName, data.PatientID = hostile("patient"), hostile("id")
        data.SeriesDescription, data.StudyDescription = hostile("series"), hostile("study")
        data.InstitutionName = hostile("place")
        data.InstanceNumber, data.FrameOfReferenceUID = index + 1, generate_uid(entropy_srcs=["frame"])
        data.PatientBirthDate, data.PatientSex, data.StudyDate, data.StudyTime = "", "", "20200102", "101112"
        data.AccessionNumber, data.StudyID, data.ReferringPhysicianName, data.Manufacturer = "", "", "", ""
        data.SeriesNumber = 1
        x, y, z = (np.asarray(ct.affine) @ [index, 0, 0, 1])[:3]
        data.ImagePositionPatient = [f"{v:.6f}" for v in (x, y, z)]
        data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        data.PixelSpacing, data.SliceThickness = [f"{dy:.6f}", f"{dx:.6f}"], f"{dz:.6f}"
        data.Rows, data.Columns = plane.shape
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation = 15, 1
        data.RescaleSlope, data.RescaleIntercept = "1", "0"
        data.PixelData = plane.astype("<i2").tobytes()
        data.save_as(folder / f"{index:03d}{hostile('file')}", enforce_file_format=True)
    return folder


def write_mask_file(made: Phantom, path: Path) -> Path:
    image = sitk.GetImageFromArray(made.mask.array)
    affine = np.asarray(made.mask.affine)
    image.SetSpacing([float(s) for s in made.mask.spacing[::-1]])
    image.SetOrigin([float(v) for v in affine[:3, 3]])
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture(scope="module")
def blank_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that find nothing."""
    torch.manual_seed(0)
    settings, folder = NetworkSettings(base=2), tmp_path_factory.mktemp("weights") / "blank"
    card = ModelCard(
        name=hostile("weights"), network=settings, preprocessing=Preprocessing(size=32),
        postprocessing=Postprocessing(min_liver_ml=1e6),
    )  # fmt: skip
    save_weights(folder, build_network(settings), card)
    return folder


def test_hostile_names_from_dicom_stay_text(made: Phantom, blank_weights: Path, tmp_path: Path) -> None:
    series = write_series(made, tmp_path)
    mask = write_mask_file(made, tmp_path / f"{hostile('mask')}.nrrd")
    out = tmp_path / "out"
    assert main(["segment", "-i", str(series), "-o", str(out), "-w", str(blank_weights), "--report"]) == 0
    assert main(["report", "-i", str(series), "-s", str(mask), "-o", str(out / "phi.html"), "--include-phi"]) == 0
    (segmented,) = out.glob("*_report.html")
    named = ("patient", "id", "series", "study", "place")
    for path, shown, absent in (
        (segmented, ("folder", "weights"), named),
        (out / "phi.html", ("folder", "mask", *named), ()),
    ):
        with browsing.opened(path) as found:
            page = found.page
            assert page.get_attribute("html", "data-viewer") == "ready"
            text = page.inner_text("body")
            for what in shown:
                assert hostile(what) in text
            whole = page.content()
            for what in absent:
                assert f"alert('{what}')" not in whole
                assert f"alert(&#39;{what}&#39;)" not in whole
            assert page.locator("img:not([src^='data:'])").count() == 0
            browsing.check_nothing_is_wrong(found)
