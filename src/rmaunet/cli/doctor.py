"""``rmaunet doctor``: what this machine and installation have, and whether they give the right answer on a phantom."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmaunet.cli.parse import parse

if TYPE_CHECKING:
    from rmaunet.predict import Weights

__all__ = ["Doctor", "main"]

# Linux's names of what makes a network faster, and what they are called.
INSTRUCTIONS = {
    "avx2": "AVX2", "avx512f": "AVX-512", "avx512_vnni": "AVX-512 VNNI", "avx_vnni": "AVX VNNI",
    "avx512_bf16": "AVX-512 BF16", "amx_bf16": "AMX BF16", "amx_int8": "AMX INT8", "asimd": "NEON", "bf16": "ARM BF16",
}  # fmt: skip
RUNTIMES = ("openvino", "nncf", "onnxruntime", "onnx", "monai")


@dataclass(frozen=True)
class Doctor:
    """Say what this machine and installation have, and check the whole way of a scan on a phantom.

    Threads, memory, instruction sets, accelerators, DICOM decoders (each decodes a sample), runtimes, weights, viewer; then a
    phantom is read, segmented, measured, and its mask written in every format and read back.
    Exit code 0 if all is well, 5 if weights are unusable, 1 if a decoder or a step of the check fails.
    """

    check: bool = True
    """Run the check on a phantom."""
    json: bool = False
    """Print JSON."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    args = parse(Doctor, argv, "rmaunet doctor")
    found: dict[str, Any] = {
        "versions": _versions(),
        "threads": _threads(),
        "memory_gib": _memory(),
        "instructions": _instructions(),
        "accelerators": _accelerators(),
        "decoders": _decoders(),
        "runtimes": {name: _version(name) for name in RUNTIMES},
        "viewer": _viewer(),
    }
    found["weights"], usable = _weights()
    found["check"] = _check(usable) if args.check else None
    faults = _faults(found)
    code = 0 if not faults else 5 if any(where == "weights" for where, _ in faults) else 1
    if args.json:
        print(json.dumps({**found, "ok": not faults}, indent=2))
    else:
        print("\n".join(_lines(found)))
    for where, fault in faults:
        print(f"error: doctor: {where}: {fault}; install rmaunet again, or report it", file=sys.stderr)
    return code


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _versions() -> dict[str, str]:
    from rmaunet import __version__

    names = ("torch", "numpy", "pydicom", "highdicom", "nibabel", "SimpleITK")
    own = {"rmaunet": __version__, "python": platform.python_version(), "system": platform.system()}
    return own | {name: _version(name) or "missing" for name in names}


def _threads() -> dict[str, Any]:
    import torch

    from rmaunet.core.machine import available_cores

    return {
        "cores": os.cpu_count(),
        "usable": available_cores(),
        "torch": torch.get_num_threads(),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
    }


def _memory() -> dict[str, float | None]:
    """Of the machine, free now, and the container's limit."""
    facts: dict[str, float | None] = {"total": None, "available": None, "limit": None}
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            name, _, value = line.partition(":")
            key = {"MemTotal": "total", "MemAvailable": "available"}.get(name)
            if key:
                facts[key] = round(int(value.split()[0]) / 2**20, 2)
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        facts["limit"] = None if limit == "max" else round(int(limit) / 2**30, 2)
    except (OSError, ValueError):
        pass
    return facts


def _instructions() -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
    flags = next(
        (set(line.split(":", 1)[1].split()) for line in lines if line.startswith(("flags", "Features"))), set()
    )
    return [name for flag, name in INSTRUCTIONS.items() if flag in flags]


def _accelerators() -> list[str]:
    import torch

    found = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            facts = torch.cuda.get_device_properties(index)
            found.append(f"cuda:{index} {facts.name}, {facts.total_memory / 2**30:.0f} GiB")
    if torch.backends.mps.is_available():
        found.append("mps")
    return found


def _decoders() -> dict[str, str | None]:
    from rmaunet.io.dicom.sample_images import decoder_faults

    return decoder_faults()


def _viewer() -> bool:
    from rmaunet.report.page import viewer_script

    return viewer_script() is not None


def _weights() -> tuple[list[dict[str, str | None]], Weights | None]:
    """Every set of shipped weights, verified; and one that works."""
    from rmaunet.core.errors import ModelError
    from rmaunet.predict import load_weights, shipped_weights

    rows: list[dict[str, str | None]] = []
    usable = None
    for name in shipped_weights():
        try:
            weights = load_weights(name)
        except ModelError as error:
            rows.append({"name": name, "sha256": None, "fault": str(error)})
            continue
        rows.append({"name": name, "sha256": weights.card.sha256, "fault": None})
        usable = weights if usable is None or name == "fast" else usable
    return rows, usable


def _check(weights: Weights | None) -> list[dict[str, Any]]:
    from rmaunet.cohort.self_check import self_check
    from rmaunet.predict import Predictor

    predictor = None if weights is None else Predictor.from_weights(weights)
    return [asdict(step) for step in self_check(predictor)]


def _faults(found: dict[str, Any]) -> list[tuple[str, str]]:
    faults = [(f"decoder {name}", fault) for name, fault in found["decoders"].items() if fault]
    faults += [("weights", row["fault"]) for row in found["weights"] if row["fault"]]
    if not found["weights"]:
        faults.append(("weights", "none are there"))
    return faults + [(step["name"], step["fault"]) for step in found["check"] or [] if step["fault"]]


def _lines(found: dict[str, Any]) -> list[str]:
    threads, memory = found["threads"], found["memory_gib"]
    limit = "" if memory["limit"] is None else f", container's limit {memory['limit']} GiB"
    lines = [
        ("versions", ", ".join(f"{name} {version}" for name, version in found["versions"].items())),
        ("threads", f"{threads['usable']} of {threads['cores']} cores usable, torch uses {threads['torch']}"),
        ("memory", f"{memory['available']} of {memory['total']} GiB free{limit}"),
        ("instructions", ", ".join(found["instructions"]) or "none known"),
        ("accelerators", ", ".join(found["accelerators"]) or "none"),
        ("decoders", ", ".join(f"{name} {'FAILED' if fault else 'ok'}" for name, fault in found["decoders"].items())),
        ("runtimes", ", ".join(f"{name} {version or 'not installed'}" for name, version in found["runtimes"].items())),
        ("viewer", "there" if found["viewer"] else "not built: reports hold pictures only"),
        *[
            ("weights", f"{row['name']} {'FAILED' if row['fault'] else 'ok, sha256 ' + row['sha256'][:12]}")
            for row in found["weights"]
        ],
        *[
            ("check", f"{step['name']}: {'FAILED' if step['fault'] else 'ok'} ({step['seconds']} s)")
            for step in found["check"] or []
        ],
    ]
    return [f"{name:<13} {text}" for name, text in lines]
