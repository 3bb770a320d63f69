"""Take the documentation's pictures of the report, in headless Chromium.

usage: python scripts/make_screenshots.py [--ct CT --mask MASK] [--title TITLE] [--out docs/images]

Without --ct and --mask a phantom is shown. Writes report.png (the top of the page) and report-viewer.png (the viewer after
a click on the second lesion).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "report"))

from browsing import CHROMIUM, opened  # noqa: E402

from rmaunet.data.phantom import phantom  # noqa: E402
from rmaunet.io import read_mask, read_volume  # noqa: E402
from rmaunet.report.page import viewer_script, write_report  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ct", type=Path)
    parser.add_argument("--mask", type=Path)
    parser.add_argument("--title", default=None)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    args = parser.parse_args()
    if CHROMIUM is None or viewer_script() is None:
        print("needs Chromium (Debian: apt-get install chromium) and an installation with the viewer", file=sys.stderr)
        return 1
    if (args.ct is None) != (args.mask is None):
        parser.error("give both --ct and --mask, or neither")
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        if args.ct is None:
            made = phantom(seed=3, shape=(160, 256, 256), lesions=4)
            write_report(made.ct, made.mask, page, title=args.title or "Phantom 3")
        else:
            scan = read_volume(args.ct)
            write_report(scan.volume, read_mask(args.mask, like=scan), page, title=args.title or scan.name)
        shoot(page, args.out)
    return 0


def shoot(path: Path, out: Path) -> None:
    with opened(path, width=1240, height=1130) as found:
        page = found.page
        rows = page.locator("tr[data-lesion]")
        if rows.count():
            rows.nth(min(1, rows.count() - 1)).click()
        page.wait_for_timeout(1500)  # the last frames are drawn
        page.mouse.move(2, 2)
        page.screenshot(path=out / "report.png", clip={"x": 0, "y": 0, "width": 1240, "height": 1130}, full_page=True)
        page.locator("#viewer .screen").screenshot(path=out / "report-viewer.png")
        if found.wrong:
            raise SystemExit("\n".join(found.wrong))


if __name__ == "__main__":
    sys.exit(main())
