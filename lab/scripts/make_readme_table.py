"""Write the README's table of results from lab/results/fast and lab/results/accurate; `--check` only says whether it
is up to date."""

import csv
import math
import re
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COLUMNS = [("dice", "DSC"), ("voe", "VOE"), ("rvd", "RVD")]


def table() -> str:
    lines = ["| per case, mean ± SD (n - 1) | | DSC | VOE | RVD | n |", "|---|---|---|---|---|---|"]
    for weights in ("fast", "accurate"):
        with (ROOT / "lab" / "results" / weights / "cases.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        for organ, name in (("liver", "liver (with tumor)"), ("tumor", "tumor")):
            cells = []
            for key, _ in COLUMNS:
                values = [float(row[f"{organ}_{key}"]) for row in rows if row[f"{organ}_{key}"] != ""]
                values = [value for value in values if not math.isnan(value)]
                cells.append(f"{statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}")
            lines.append(f"| `{weights}` | {name} | {' | '.join(cells)} | {len(rows)} |")
    return "\n".join(lines)


def main() -> int:
    readme = ROOT / "README.md"
    text = readme.read_text()
    made = re.sub(
        r"(<!-- results:begin[^\n]*-->\n).*?(<!-- results:end -->)",
        lambda match: f"{match[1]}\n{table()}\n\n{match[2]}",
        text,
        flags=re.DOTALL,
    )
    if "--check" in sys.argv:
        return int(made != text)
    readme.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
