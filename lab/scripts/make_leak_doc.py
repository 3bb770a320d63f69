"""Write the measured tables of lab/logs/leak-detection.md from lab/results/overlap and lab/results/overlap_ircadb.

python lab/scripts/make_leak_doc.py
"""

import csv
import re
import statistics
from pathlib import Path

from rmaunet.leaks.match_scans import SAME_PATIENT, SAME_SCAN

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "lab" / "logs" / "leak-detection.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def rows(*parts: str) -> list[dict[str, str]]:
    with (ROOT / "lab" / "results").joinpath(*parts).open(newline="") as file:
        return list(csv.DictReader(file))


def copies() -> list[str]:
    table = rows("overlap", "copies.csv")
    scores: dict[str, list[float]] = {}
    for row in table:
        scores.setdefault(row["change"], []).append(float(row["score"]))
    wrong = sum(float(row["other_score"] or 0) >= SAME_SCAN for row in table)
    lines = [
        f"{len(table)} changed copies of {len({row['case'] for row in table})} scans against their own scan, and against all "
        f"others of the 30: {wrong} copies were taken for another scan.",
        "",
        "| change | least score | median | named |",
        "|:--|--:|--:|--:|",
    ]
    for change, values in scores.items():
        named = f"{sum(value >= SAME_SCAN for value in values)} of {len(values)}"
        lines.append(f"| {change} | {min(values):.3f} | {statistics.median(values):.3f} | {named} |")
    return lines


def pairs() -> list[str]:
    table = [(float(row["score"]), row["one"], row["other"]) for row in rows("overlap", "pairs.csv")]
    near = [pair for pair in table if pair[0] >= SAME_PATIENT]
    alarms = sum(pair[0] >= SAME_SCAN for pair in table)
    next_score = max(score for score, _, _ in table if score < SAME_PATIENT)
    shown = "; ".join(f"{one}, {other} {score:.3f}" for score, one, other in near)
    return [
        f"{len(table)} pairs of different scans: {alarms} reach {SAME_SCAN} (\"same scan\"), {len(near)} reach {SAME_PATIENT} "
        f"(\"same patient?\"): {shown}. The next has {next_score:.3f}.",
    ]  # fmt: skip


def ircadb() -> list[str]:
    table = rows("overlap_ircadb", "pairs.csv")
    right = [row for row in table if int(row["one"].split("-")[1]) == int(row["other"].split(".")[1]) + 27]
    least = min(float(row["score"]) for row in right)
    return [
        f"LiTS (30 volumes) against the volumes of 28-47 among them written out as 3D-IRCADb-01: {len(right)} pairs volume = "
        f"patient + 27 named, least score {least:.3f}; {len(table) - len(right)} other pairs named.",
    ]


def generate() -> str:
    text = DOCUMENT.read_text(encoding="utf-8")
    body = "\n".join([BEGIN, "", *copies(), "", *pairs(), "", *ircadb(), "", END])
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: body, text, count=1, flags=re.DOTALL)


if __name__ == "__main__":
    DOCUMENT.write_text(generate(), encoding="utf-8")
