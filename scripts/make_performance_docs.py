"""Write the tables and plots of docs/runtimes.md and docs/performance.md from results/agreement and results/bench.

`--check` only says whether the pages are up to date.
"""

import csv
import json
import re
import sys
from pathlib import Path

from rmaunet.bench.agreement import verdicts
from rmaunet.bench.tables import tables

ROOT = Path(__file__).parents[1]


def agreement() -> str:
    lines = []
    for folder in sorted(path.parent for path in (ROOT / "results" / "agreement").glob("*/agreement.csv")):
        with (folder / "agreement.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        manifest = json.loads((folder / "manifest.json").read_text())
        machine, libraries = manifest["machine"], manifest["libraries"]
        cases = ", ".join(dict.fromkeys(row["case"] for row in rows))
        lines += [
            f"Weights `{manifest['weights']['name']}` (sha256 {manifest['weights']['sha256'][:12]}) on LiTS {cases}; "
            f"{machine['processor']}, {machine['cores']} cores; "
            + ", ".join(f"{name} {version}" for name, version in libraries.items())
            + ".",
            "",
            "| runtime | cases | liver Dice, pooled | tumor Dice, pooled | largest change of a case | voxels that differ | "
            "slices computed | liver slices lost | |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for line in verdicts(rows):
            lines.append(
                f"| {line['way']} | {line['cases']} | {line['liver_dice']:.6f} | {line['tumor_dice']:.6f} | "
                f"{line['largest_change']:.6f} | {line['voxels_different']} | {line['slices_computed']:.0%} | "
                f"{line['liver_slices_lost']} | {'accepted' if line['accepted'] else 'not accepted'} |"
            )
        lines.append("")
    return "\n".join(lines).rstrip("\n")


def measurements() -> str:
    files = sorted((ROOT / "results" / "bench").glob("*.json"))
    return "\n\n".join(f"### {path.stem}\n\n{tables(json.loads(path.read_text()))}" for path in files)


def made(page: Path, content: str) -> str:
    return re.sub(
        r"(<!-- tables:begin[^\n]*-->\n).*?(<!-- tables:end -->)",
        lambda match: f"{match[1]}\n{content}\n\n{match[2]}",
        page.read_text(),
        flags=re.DOTALL,
    )


def main() -> int:
    old = 0
    for name, content in (("runtimes.md", agreement()), ("performance.md", measurements())):
        page = ROOT / "docs" / name
        text = made(page, content)
        old += text != page.read_text()
        if "--check" not in sys.argv:
            page.write_text(text)
    return min(1, old) if "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
