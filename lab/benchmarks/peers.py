"""Whole scans end to end: rmaunet, nnU-Net v2, MONAI and the part of TotalSegmentator that runs without its weights, in turn.

    python lab/benchmarks/peers.py [--depth 300] [--side 512] [--turns 3] [--calls 8] [--threads 2] \
        [-o lab/results/bench/NAME.json]

The peers come with lab/benchmarks/requirements-peers.txt. Each tool runs in a process of its own
(lab/benchmarks/peer_tools.py) on the same scan; the tools take turns, so that a disturbance affects all of them. Tools that
fail are reported and skipped.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from peer_tools import TOOLS

from bench.record import new_record
from bench.tables import tables
from bench.volume import scan_like
from rmaunet.core.files import write_json
from rmaunet.io import write_volume

LIBRARIES = ("torch", "openvino", "nnunetv2", "monai", "TotalSegmentator", "numpy", "SimpleITK")


def run(tool: str, scan: Path, options: argparse.Namespace) -> dict[str, Any] | None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(Path(__file__).with_name("peer_tools.py")), tool, str(scan), folder]
        command += [f"--threads={options.threads}", f"--calls={options.calls}"]
        own = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=own)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        print(f"left out: {tool}: {reason}", file=sys.stderr, flush=True)
        return None
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    network = f"network {found['network']['cpu']:.1f}" if "network" in found else "no network"
    print(f"{tool}: outside {found['outside']['cpu']:.1f} s CPU, {network}", file=sys.stderr, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("depth", 300), ("side", 512), ("turns", 3), ("calls", 8), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--tools", nargs="+", choices=list(TOOLS), default=list(TOOLS))
    parser.add_argument("--note", default="", help="kept in the file: what else ran, for instance")
    parser.add_argument("-o", "--output", type=Path, help="JSON file")
    options = parser.parse_args()
    record = new_record(threads=options.threads, note=options.note, libraries=LIBRARIES)
    record["peers"] = {"size": [options.depth, options.side, options.side], "runs": []}
    with tempfile.TemporaryDirectory() as folder:
        scan = Path(folder) / "scan.nii.gz"
        write_volume(scan_like(options.depth, side=options.side), scan)
        for _ in range(options.turns):
            for tool in options.tools:
                found = run(tool, scan, options)
                if found is not None:
                    record["peers"]["runs"].append(found)
                    if options.output:
                        write_json(options.output, record)
    print(tables(record))


if __name__ == "__main__":
    main()
