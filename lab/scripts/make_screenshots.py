"""Take the documentation's pictures of the report, in headless Chromium.

usage: python lab/scripts/make_screenshots.py [phantom] [demo] [tumors] [--cache CACHE] [--out docs/images]

phantom  report.png, report-viewer.png: a phantom with four lesions (needs no network)
demo     report-demo.png: TotalSegmentator's example CT (Apache-2.0), segmented by the shipped weights with --confidence
tumors   report-tumors.png: a liver full of metastases, the public volume and mask of liver-ct-segmentation-package (MIT)

Without a name all three. The two public volumes come through pip, once, into the cache. A console error, a dialog or a
request of the page ends the script, and so does a lesion row that does not move the crosshair.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "cases"))

from browsing import CHROMIUM, Opened, check_nothing_is_wrong, opened  # noqa: E402
from rmaunet.cli.main import main as rmaunet  # noqa: E402
from rmaunet.core.files import cache_folder, write_bytes  # noqa: E402
from rmaunet.core.volume import Volume, make_volume  # noqa: E402
from rmaunet.datasets.phantoms.example_scan import fetch_example  # noqa: E402
from rmaunet.datasets.phantoms.phantom import phantom  # noqa: E402
from rmaunet.io import read_mask, read_scan  # noqa: E402
from rmaunet.report.page import viewer_script, write_report  # noqa: E402

TUMORS = "liver-ct-segmentation-package==1.6.0"
WIDTH, HEIGHT = 1240, 1130


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", default=["phantom", "demo", "tumors"])
    parser.add_argument("--cache", type=Path, default=cache_folder())
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    args = parser.parse_args()
    if CHROMIUM is None or viewer_script() is None:
        print("needs Chromium (Debian: apt-get install chromium) and an installation with the viewer", file=sys.stderr)
        return 1
    args.out.mkdir(parents=True, exist_ok=True)
    makers = {"phantom": phantom_report, "demo": demo_report, "tumors": tumors_report}
    with tempfile.TemporaryDirectory() as folder:
        for name in args.which:
            page = makers[name](Path(folder), args.cache)
            ending = "" if name == "phantom" else f"-{name}"
            shoot(page, args.out / f"report{ending}.png")
            if name == "phantom":
                shoot(page, args.out / "report-viewer.png", only="#viewer .screen")
            print(f"{name}: {page.stat().st_size / 1e6:.1f} MB")
    return 0


def phantom_report(folder: Path, cache: Path) -> Path:
    made = phantom(seed=3, shape=(160, 256, 256), lesions=4)
    write_report(made.ct, made.mask, folder / "phantom.html", title="Phantom 3")
    return folder / "phantom.html"


def demo_report(folder: Path, cache: Path, *, confidence: bool = True) -> Path:
    command = ["segment", "-i", str(fetch_example(cache).ct), "-o", str(folder / "demo"), "--report"]
    command += ["--confidence"] if confidence else []
    if code := rmaunet(command):
        raise SystemExit(code)
    return next((folder / "demo").glob("*_report.html"))


def tumors_report(folder: Path, cache: Path) -> Path:
    """The files' axes are left, posterior, head (the last fastest), which MRC cannot say."""
    image, mask = fetch_tumors(cache)

    def turned(volume: Volume) -> Volume:
        return make_volume(np.ascontiguousarray(volume.array.transpose(2, 1, 0)))

    scan = read_scan(image)
    note = "The files tell neither orientation nor voxel size: voxels count as 1 mm cubes; volumes and lengths mean nothing."
    write_report(
        turned(scan.volume), turned(read_mask(mask, like=scan)), folder / "tumors.html",
        title="Liver box of LiTS volume 117 (128 × 128 × 128)", notes=[note],
    )  # fmt: skip
    return folder / "tumors.html"


def fetch_tumors(cache: Path) -> tuple[Path, Path]:
    names = ("img_117.mrc", "lab_117.mrc")
    if not all((cache / name).is_file() for name in names):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, TUMORS]
            subprocess.run(command, check=True, timeout=300)
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as archive:
                for name in names:
                    inside = next(one for one in archive.namelist() if one.endswith(f"/{name}"))
                    write_bytes(cache / name, archive.read(inside))
    return cache / names[0], cache / names[1]


def shoot(path: Path, picture: Path, *, only: str | None = None) -> None:
    """Click the second lesion, see that the crosshair went there, and take the picture."""
    with opened(path, width=WIDTH, height=HEIGHT) as found:
        rows = found.page.locator("tr[data-lesion]")
        if rows.count():
            found.go_to(rows.nth(min(1, rows.count() - 1)))
        take(found, picture, only=only)
        check_nothing_is_wrong(found)


def take(found: Opened, picture: Path, *, only: str | None = None) -> None:
    """The upper part of a page, or one element of it, as it looks when all is drawn."""
    page = found.page
    page.mouse.move(2, 2)
    found.planes()
    if only:
        page.locator(only).screenshot(path=picture)
    else:
        page.screenshot(path=picture, clip={"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT}, full_page=True)


if __name__ == "__main__":
    sys.exit(main())
