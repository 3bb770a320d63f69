"""The page: complete, escaped, closed to the network, small, the same each time, silent about the patient."""

import base64
import gzip
import hashlib
import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from rmaunet.core.errors import InputError, OutputError
from rmaunet.core.volume import make_volume
from rmaunet.datasets.phantoms.phantom import Phantom, phantom
from rmaunet.io import write_volume
from rmaunet.measurement import lesion_table, measure
from rmaunet.report import page as page_module
from rmaunet.report.findings import number
from rmaunet.report.page import viewer_script, write_report

EVIL = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>{{ 7*7 }}"
needs_viewer = pytest.mark.skipif(viewer_script() is None, reason="this installation has no viewer (built without npm)")


def words(text: str) -> str:
    """The page without scripts, style and pictures."""
    return re.sub(r"<script.*?</script>|<style.*?</style>|base64,[^\"]*|<meta[^>]*>", "", text, flags=re.S)


class Parts(HTMLParser):
    """Elements with attributes, and the text inside of each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[dict[str, str | None], str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.elements.append(("/" + tag, {}))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] in ("script", "style"):
            self.texts.append((self.elements[-1][1] | {"tag": self.elements[-1][0]}, data))

    def inside(self, tag: str, name: str | None = None) -> str:
        return "".join(t for a, t in self.texts if a["tag"] == tag and a.get("id") == name)


@pytest.fixture(scope="module")
def made() -> Phantom:
    return phantom(seed=3, shape=(48, 96, 96), lesions=3)


@pytest.fixture(scope="module")
def text(made: Phantom, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(made.ct, made.mask, path, title=EVIL, notes=[EVIL], facts={EVIL: EVIL, "Weights": "w 1"})
    return path.read_text()


def test_nothing_given_becomes_markup(text: str) -> None:
    parts = Parts(text)
    assert [attributes for tag, attributes in parts.elements if tag == "img" and attributes.get("src") == "x"] == []
    assert all(not name.startswith("on") for _, attributes in parts.elements for name in attributes)
    assert "<script>alert" not in text
    assert text.count("&lt;img src=x onerror=alert(1)&gt;") == 5  # title, heading, note, fact's name and value
    assert "{{ 7*7 }}" in text


def test_nothing_is_loaded_from_anywhere(text: str) -> None:
    for tag, attributes in Parts(text).elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form", "a")
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith("data:image/jpeg;base64,"), (tag, name, value)
        assert "style" not in attributes  # the policy would refuse it
    assert "url(" not in Parts(text).inside("style")
    assert "@import" not in text


def test_the_policy_allows_the_two_inline_blocks_and_nothing_else(text: str) -> None:
    parts = Parts(text)
    policy = next(a["content"] for t, a in parts.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    def hashed(inline: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"

    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == hashed(parts.inside("style"))
    code = parts.inside("script")
    assert rules["script-src"] == (hashed(code) if viewer_script() else "'none'")
    assert rules["img-src"] == "data: blob:"
    assert "connect-src" not in rules
    assert "unsafe" not in policy
    # The policy stands before anything it must govern.
    assert text.index("Content-Security-Policy") < text.index("<style>")


@needs_viewer
def test_embedded_volumes_come_back(text: str, made: Phantom) -> None:
    parts = Parts(text)
    ct, mask = (
        nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(parts.inside("script", name))))
        for name in ("ct-data", "mask-data")
    )
    values = np.asarray(mask.dataobj)
    assert [np.count_nonzero(values == k) for k in (1, 2)] == [np.count_nonzero(made.mask.array == k) for k in (1, 2)]
    parenchyma = made.ct.array[made.mask.array == 1].astype(float)
    assert ct.get_fdata()[values == 1].mean() == pytest.approx(parenchyma.mean(), abs=0.2)
    settings = json.loads(parts.inside("script", "viewer-settings"))
    assert settings["windows"][0]["hu"] == [-125, 225]


def test_findings_and_rows_are_the_measures(text: str, made: Phantom) -> None:
    measures, lesions = measure(made.ct, made.mask), lesion_table(made.ct, made.mask)
    tiles = re.findall(r"<dd>([^<]*)", text.split("</dl>")[0])
    assert [t.strip() for t in tiles] == [
        number(measures.liver_ml), number(measures.tumor_ml), number(measures.burden_percent), str(len(lesions)),
    ]  # fmt: skip
    rows = re.findall(
        r'data-lesion="(\d+)" data-go-mm="([^"]*)".*?<td>[^<]*</td><td>([^<]*)</td><td>([^<]*)</td>'
        r"<td>[^<]*</td><td>([^<]*)</td>", text,
    )  # fmt: skip
    assert [(int(i), v, a, int(s)) for i, _, v, a, s in rows] == [
        (
            one.id, number(one.volume_ml), f"{one.longest_axial_mm:.0f} × {one.perpendicular_mm:.0f}",
            one.axial_index + 1,
        )
        for one in lesions
    ]  # fmt: skip
    for lesion in lesions:  # and the picture of each says the same
        words = f"Lesion {lesion.id}: {lesion.longest_axial_mm:.0f} × {lesion.perpendicular_mm:.0f} mm"
        assert re.search(
            rf"<figcaption>[^<]*{words}[^<]*axial slice {lesion.axial_index + 1} of {made.ct.array.shape[0]}", text
        )
    for (_, place, *_), lesion in zip(rows, lesions, strict=True):
        x, y, z = (float(v) for v in place.split(","))
        # A phantom's lesions are spheres: the middle of the longest diameter is their center, within voxels.
        near = min(np.linalg.norm(np.array([-x, -y, z]) - known.center_mm) for known in made.lesions)
        assert near < 6.0
        assert lesion.longest_axial_mm > 0


def test_equal_input_gives_equal_bytes_and_no_date(made: Phantom, tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        write_report(made.ct, made.mask, tmp_path / name, title="Case 1")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_a_large_noisy_scan_stays_under_15_mb(tmp_path: Path) -> None:
    # Nothing compresses worse than noise; the liver fills the grid.
    noise = np.random.default_rng(0).integers(-200, 300, (60, 400, 400), np.int16)
    labels = np.ones(noise.shape, np.uint8)
    write_report(make_volume(noise), make_volume(labels), tmp_path / "r.html", title="noise")
    assert (tmp_path / "r.html").stat().st_size < 15_000_000
    if viewer_script():
        assert "averaged to" in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize("value", [0, 1])
def test_without_tumor_or_liver_the_page_says_so(value: int, tmp_path: Path) -> None:
    ct = make_volume(np.full((12, 40, 40), 60, np.int16))
    labels = np.zeros((12, 40, 40), np.uint8)
    labels[3:9, 8:30, 8:30] = value
    write_report(ct, make_volume(labels), tmp_path / "r.html", title="t")
    text = (tmp_path / "r.html").read_text()
    assert ("The mask holds no tumor." if value else "The mask is empty") in text
    assert ">CHECK<" in text
    assert not re.search(r"\bnan\b", words(text), flags=re.I)


def test_without_bundle_there_are_pictures_and_a_word(
    made: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "viewer_script", lambda: None)
    write_report(made.ct, made.mask, tmp_path / "r.html", title="t")
    text = (tmp_path / "r.html").read_text()
    assert "built without the live viewer" in text
    assert "<script" not in text
    assert "script-src 'none'" in unescape(text)
    assert text.count("data:image/jpeg;base64,") >= 2


def test_refusals(made: Phantom, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="grid"):
        write_report(made.ct, make_volume(np.zeros((2, 2, 2), np.uint8)), tmp_path / "r.html", title="t")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_report(made.ct, made.mask, tmp_path / "file" / "r.html", title="t")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_command_keeps_folders_out_unless_asked(
    made: Phantom, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from rmaunet.cli.main import main

    folder = tmp_path / "DOE^JANE <b>"
    folder.mkdir()
    ct, mask = folder / "ct <img src=x onerror=alert(1)>.nii.gz", folder / "mask.nii.gz"
    write_volume(made.ct, ct)
    write_volume(made.mask, mask)
    command = ["report", "-i", str(ct), "-s", str(mask), "-o", str(tmp_path / "r.html")]
    assert main(command) == 0
    quiet = (tmp_path / "r.html").read_text()
    assert "ct &lt;img src=x onerror=alert(1)&gt;" in quiet
    assert "DOE" not in words(quiet)
    assert main([*command, "--include-phi", "--title", "T", "--json"]) == 0
    told = (tmp_path / "r.html").read_text()
    assert "DOE^JANE &lt;b&gt;" in words(told)
    assert "<h1>T</h1>" in told
    out = capsys.readouterr().out
    assert json.loads(out[out.index("{") :])["bytes"] == (tmp_path / "r.html").stat().st_size
    assert main([*command[:-1], str(tmp_path / "r.txt")]) == 2
    assert main([*command, "--label", "5:1"]) == 2


def test_numbers_as_shown() -> None:
    assert [number(v) for v in (0.0, -0.001, 0.0049, 0.0051, 9.999, 10.04, 99.96, 1234.5, -45.2, None)] == [
        "0", "0.00", "< 0.01", "0.01", "10.00", "10.0", "100.0", "1234", "−45.2", "–",
    ]  # fmt: skip
    assert number(0.0049, 0) == "0"
