"""The report: one HTML file with findings, lesion table, pictures and a live viewer, which loads nothing from anywhere.

The page is made of text that was escaped (Jinja2), pictures, two small volumes and two inline blocks, style and viewer,
whose hashes its content security policy names: no other script or style runs in it, and it cannot reach a network.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from rmaunet import __version__
from rmaunet.core.colors import LIVER_RGB, TUMOR_RGB
from rmaunet.core.files import write_text
from rmaunet.core.volume import Volume
from rmaunet.measurement.lesions import Lesion
from rmaunet.measurement.measurement import Measurement, measure_mask
from rmaunet.measurement.planes import focus, matched
from rmaunet.report.embed import PACKED_HU, Embedded, embed
from rmaunet.report.findings import confidence_words, diameters, lesion_rows, no_lesion_words, number, tiles
from rmaunet.report.pictures import axial_picture, evenly_spaced, planes_picture

__all__ = ["WINDOWS_HU", "viewer_script", "write_report"]

WINDOWS_HU = {"Abdomen": (-125, 225), "Liver": (15, 165), "Wide": (-200, 310)}
"""The viewer's presets: HU shown black and HU shown white."""

MOST_PICTURES = 6


def write_report(
    ct: Volume,
    mask: Volume,
    path: Path,
    *,
    title: str,
    notes: Sequence[str] = (),
    facts: Mapping[str, str] | None = None,
    measured: Measurement | None = None,
) -> None:
    """Write the report of a CT and a mask as one self-contained HTML file.

    Args:
        ct: CT in HU, any orientation.
        mask: Labels {0, 1, 2} on the CT's voxel positions, whoever made it.
        path: The file; it opens offline by double click.
        title: Heading of the page, shown as plain text.
        notes: Sentences for the end of the page, e.g. notices of the reader.
        facts: Rows of the provenance table, e.g. {"Weights": "fast 1.0"}. A date is written only if it is given here.
        measured: Measurement of the mask, with its confidence if that should be shown; None to measure it here.

    Raises:
        InputError: If the mask is not on the CT's grid.
        OutputError: If the file cannot be written.
    """
    turned, labels = matched(ct, mask)
    packed = embed(turned, labels)
    found = measured or measure_mask(labels, turned)
    viewer, css = viewer_script(), _asset("page.css")
    content: dict[str, Any] = {
        "title": title,
        "policy": _policy(css, viewer),
        "css": Markup(css),
        "viewer": Markup(viewer) if viewer else None,
        "viewer_missing": _viewer_missing(viewer),
        "packed": _packed_words(packed),
        "planes_picture": _base64(planes_picture(turned, labels)),
        "slices": _slices(turned, labels, found.lesions),
        "facts": [*_own_facts(turned), *(facts or {}).items()],
        "notes": list(notes),
        **_findings(found),
    }
    if viewer:
        content |= {
            "settings": _settings(labels),
            "ct_data": _base64(packed.ct_gz),
            "mask_data": _base64(packed.mask_gz),
        }
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    write_text(path, environment.from_string(_asset("page.html.jinja")).render(content))


def viewer_script() -> str | None:
    """The bundled viewer (NiiVue behind our own small file), or None where this installation was built without it."""
    built = resources.files("rmaunet.report") / "viewer_dist" / "viewer.js"
    # A browser hashes a script after normalising its line ends.
    return built.read_text(encoding="utf-8").replace("\r\n", "\n") if built.is_file() else None


def _asset(name: str) -> str:
    return (resources.files("rmaunet.report") / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _policy(css: str, viewer: str | None) -> str:
    def source(text: str) -> str:
        return f"'sha256-{_base64(hashlib.sha256(text.encode()).digest())}'"

    script = source(viewer) if viewer else "'none'"
    return (
        f"default-src 'none'; script-src {script}; style-src {source(css)}; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _findings(found: Measurement) -> dict[str, Any]:
    rows = lesion_rows(found.lesions, found.confidence)
    return {
        "tiles": tiles(found.measures, found.lesions, found.confidence),
        "flags": [f"{flag.text[:1].upper()}{flag.text[1:]}." for flag in found.flags],
        "lesions": rows,
        "lesion_count": f"{len(rows)} found" if len(rows) > 1 else "1 found",
        "any_target": any(row["target"] for row in rows),
        "no_lesions": no_lesion_words(found.measures),
        "confidence": None if found.confidence is None else confidence_words(found.confidence),
    }


def _slices(ct: Volume, labels: Volume, lesions: Sequence[Lesion]) -> list[dict[str, str]]:
    """The slices on which the largest lesions are longest; without lesions, slices spread over the liver."""
    shown: dict[int, list[Lesion]] = {}
    for lesion in lesions[:MOST_PICTURES]:
        shown.setdefault(lesion.axial_index, []).append(lesion)
    if not lesions:
        shown = {index: [] for index in evenly_spaced(labels, MOST_PICTURES)}
    return [
        {
            "picture": _base64(axial_picture(ct, labels, index, on_it)),
            "caption": f"{_named(on_it)}, axial slice {index + 1} of {ct.array.shape[0]}, z = {_height(ct, index)} mm",
        }
        for index, on_it in shown.items()
    ]


def _named(lesions: Sequence[Lesion]) -> str:
    return ", ".join(f"Lesion {one.id}: {diameters(one)} mm" for one in lesions) or "Liver"


def _height(ct: Volume, index: int) -> str:
    return number(float((np.asarray(ct.affine) @ [index, 0, 0, 1])[2]), 0)


def _settings(labels: Volume) -> dict[str, Any]:
    x, y, z = (np.asarray(labels.affine) @ [*focus(labels), 1])[:3]
    return {
        "windows": [{"name": name, "hu": list(hu)} for name, hu in WINDOWS_HU.items()],
        "liver_rgb": list(LIVER_RGB),
        "tumor_rgb": list(TUMOR_RGB),
        "start_mm": [float(-x), float(-y), float(z)],
        "azimuth": 160,
        "elevation": 12,
    }


def _viewer_missing(viewer: str | None) -> str:
    if viewer is None:
        return "This installation was built without the live viewer; the pictures below show the key slices."
    return "The live viewer needs JavaScript and WebGL 2; the pictures below show the key slices."


def _packed_words(packed: Embedded) -> str:
    low, high = PACKED_HU
    words = f"The viewer holds the part around the liver in steps of 2 HU from {number(low, 0)} to {number(high, 0)} HU"
    if packed.reduced:
        words += f", averaged to {_size(packed.spacing_mm)} to keep this file small"
    return words + "; the numbers and pictures come from the full data."


def _own_facts(ct: Volume) -> list[tuple[str, str]]:
    depth, height, width = ct.array.shape
    return [
        ("CT", f"{width} × {height} × {depth} voxels of {_size(ct.spacing)}"),
        ("Software", f"rmaunet {__version__}"),
        ("Display", "radiological: patient’s right on the left; positions in LPS mm"),
    ]


def _size(spacing_mm: Sequence[float]) -> str:
    depth, height, width = spacing_mm
    return f"{width:.3g} × {height:.3g} × {depth:.3g} mm"
