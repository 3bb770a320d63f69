"""The overlay in pixel space: scale, sides, contours where the voxels' edges are, and the same bytes each time."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from rmaunet.core.errors import InputError, UsageError
from rmaunet.core.volume import Volume, make_volume
from rmaunet.measurement.planes import cut, focus, matched
from rmaunet.report import LIVER_RGB, TUMOR_RGB, overlay_figure, save_figure
from rmaunet.report.overlay import draw_plane

AFFINE = np.array([[0, 0, 1.5, -40], [0, 1.0, 0, -30], [4.0, 0, 0, 100], [0, 0, 0, 1]])


def scene() -> tuple[Volume, Volume]:
    """Body of 0 HU in air; a liver box on the patient's right, a tumor box in it, a bright mark at its front."""
    ct = np.full((24, 70, 60), -1000, np.int16)
    labels = np.zeros(ct.shape, np.uint8)
    ct[:, 5:65, 4:56] = 0
    labels[6:18, 20:50, 8:28] = 1
    labels[9:14, 30:40, 12:20] = 2
    ct[:, 6:10, 14:18] = 1000
    return make_volume(ct, AFFINE), make_volume(labels, AFFINE)


def near(picture: np.ndarray, rgb: tuple[int, int, int]) -> np.ndarray:
    return np.linalg.norm(picture[..., :3] * 255 - np.array(rgb), axis=-1) < 60


@pytest.mark.parametrize("name", ["axial", "coronal", "sagittal"])
def test_contours_lie_on_the_voxels_edges(name: str, tmp_path: Path) -> None:
    ct, mask = matched(*scene())
    at = focus(mask)
    plane = cut(ct, mask, name, at[("axial", "coronal", "sagittal").index(name)])
    height, width = plane.extent_mm
    figure = Figure(figsize=(width / 10, height / 10))  # at 100 dpi: 10 pixels a mm
    draw_plane(figure.add_axes((0, 0, 1, 1)), plane)
    save_figure(figure, tmp_path / "plane.png", dpi=100)
    picture = imread(tmp_path / "plane.png")
    assert picture.shape[:2] == pytest.approx((height * 10, width * 10), abs=1)
    for inside, rgb in ((plane.labels == 2, TUMOR_RGB), (plane.labels > 0, LIVER_RGB)):
        drawn = near(picture, rgb)
        for axis, step in enumerate(plane.spacing_mm):
            voxels = np.flatnonzero(inside.any(axis=1 - axis))
            pixels = np.flatnonzero(drawn.any(axis=1 - axis))
            edges = np.array([voxels[0] * step, (voxels[-1] + 1) * step]) * 10
            assert np.array([pixels[0], pixels[-1] + 1]) == pytest.approx(edges, abs=2)


def test_one_scale_for_all_panels() -> None:
    figure = overlay_figure(*scene())
    figure.canvas.draw()
    scales = []
    for ax in figure.axes:
        box = ax.get_window_extent()
        (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
        scales += [box.width / (right - left), box.height / (bottom - top)]
    assert len(figure.axes) == 3
    assert scales == pytest.approx([scales[0]] * 6, rel=1e-6)


def test_panels_in_millimetres_with_letters_and_scale_bar() -> None:
    figure = overlay_figure(*scene())
    words = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert words == [
        ["R", "L", "A", "P", "2 cm"],
        ["R", "L", "S", "I", "2 cm"],
        ["A", "P", "S", "I", "2 cm"],
    ]
    for ax in figure.axes:
        bar = max(ax.lines, key=lambda line: line.get_linewidth())
        assert np.ptp(bar.get_xdata()) == pytest.approx(20.0)


def test_right_is_left_and_front_is_up(tmp_path: Path) -> None:
    figure = overlay_figure(*scene())
    save_figure(figure, tmp_path / "overlay.png", dpi=100)
    picture = imread(tmp_path / "overlay.png")
    figure.set_dpi(100)
    figure.canvas.draw()
    boxes = [ax.get_window_extent() for ax in figure.axes]
    orange = near(picture, TUMOR_RGB)[:-30]  # without the legend
    for box, side in zip(boxes, ("left", "left", "middle"), strict=True):
        columns = np.flatnonzero(orange[:, int(box.x0) : int(box.x1)].any(axis=0)) / box.width
        assert columns.size
        if side == "left":
            assert columns.max() < 0.45
    axial = picture[
        int(picture.shape[0] - boxes[0].y1) : int(picture.shape[0] - boxes[0].y0), int(boxes[0].x0) : int(boxes[0].x1)
    ]
    bright = np.argwhere(axial[..., :3].min(axis=-1) > 0.98)
    mark = bright[(bright[:, 1] < 0.45 * axial.shape[1]) & (bright[:, 1] > 0.15 * axial.shape[1])]
    assert np.median(mark[:, 0]) < 0.3 * axial.shape[0]


def test_planes_meet_in_the_focus() -> None:
    ct, mask = scene()
    labels = mask.array
    d, h, w = focus(mask)
    assert labels[d, h, w] == 2
    figure = overlay_figure(ct, mask)
    _axial, coronal, _ = figure.axes
    # The first line is the scale bar, the second the upper tick: where the sagittal plane cuts. The panel begins with
    # the body less a margin, here at the scan's edge.
    tick = coronal.lines[1].get_xdata()
    assert tick == pytest.approx([(w + 0.5) * 1.5] * 2)


def test_any_orientation_gives_the_same_picture(tmp_path: Path) -> None:
    ct, mask = scene()
    save_figure(overlay_figure(ct, mask, title="x"), tmp_path / "one.png")
    save_figure(
        overlay_figure(ct.to_patient_orientation("LFA"), mask.to_patient_orientation("PRH"), title="x"),
        tmp_path / "two.png",
    )
    np.testing.assert_array_equal(imread(tmp_path / "one.png"), imread(tmp_path / "two.png"))


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_equal_input_gives_equal_bytes(suffix: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_figure(overlay_figure(*scene(), title="case $1_x$ <b>"), tmp_path / f"{name}{suffix}")
    first, second = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("a", "b"))
    assert first == second
    assert first[:4] == (b"\x89PNG" if suffix == ".png" else b"%PDF")
    assert b"matplotlib" not in first.lower()


def test_title_is_no_markup() -> None:
    figure = overlay_figure(*scene(), title=r"$\frac{1$ <img>")
    figure.canvas.draw()
    assert figure.texts[0].get_text() == r"$\frac{1$ <img>"


def test_empty_mask_is_said() -> None:
    ct, mask = scene()
    figure = overlay_figure(ct, make_volume(np.zeros_like(mask.array), AFFINE))
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["the mask is empty; window -100 to 250 HU"]


def test_few_slices_keep_their_letters() -> None:
    ct, mask = scene()
    axial, coronal, _ = overlay_figure(ct[8:10], mask[8:10]).axes
    assert [text.get_text() for text in axial.texts][-1] == "2 cm"
    assert [text.get_text() for text in coronal.texts] == ["R", "L", "S", "I"]
    top, bottom = coronal.texts[2:]
    assert bottom.get_position()[0] - top.get_position()[0] > 0.05


def test_one_voxel() -> None:
    one = make_volume(np.ones((1, 1, 1), np.uint8))
    assert len(overlay_figure(one, one).axes) == 3


def test_refusals(tmp_path: Path) -> None:
    ct, mask = scene()
    with pytest.raises(UsageError, match="window_hu"):
        overlay_figure(ct, mask, window_hu=(100.0, 100.0))
    with pytest.raises(InputError, match="grid"):
        overlay_figure(ct, make_volume(np.asarray(mask.array)))
    with pytest.raises(UsageError, match=r"\.jpg: is no picture format"):
        save_figure(overlay_figure(ct, mask), tmp_path / "x.jpg")
    assert list(tmp_path.iterdir()) == []


def test_importing_report_is_light() -> None:
    code = (
        "import sys, rmaunet.report as r, rmaunet.measurement as m; nets = {'torch', 'openvino', 'onnxruntime'}; "
        "heavy = (nets | {'matplotlib', 'jinja2', 'SimpleITK'}) & set(sys.modules); "
        "m.measure, m.lesion_table, m.quality_flags, m.write_tables; "
        "heavy |= (nets | {'matplotlib'}) & set(sys.modules); "
        "r.overlay_figure; heavy |= (nets | {'matplotlib.pyplot'}) & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
