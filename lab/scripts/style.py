"""Find wording that the project's style guide bans in Markdown files, docstrings, comments and messages.

usage: python lab/scripts/style.py [--spelling] PATH...

Prints ``FILE:LINE: pattern: text`` for each finding and exits with 1 if there are any. A path may be a folder. Code
spans, code blocks, link targets and HTML comments are not checked. With ``--spelling``, British spelling is a finding
too. A line of Python that ends with ``# style: ok`` is skipped.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

START = r"(?:^[\s>#*\-|]*|(?<=[.!?:]\s)|\|\s*|\*\*)"
"""Start of a sentence, heading, list item or table cell."""

BANNED: dict[str, str] = {
    "is none": r"\b(?:is|are|was|were|be|being) none\b(?! of the\b)",
    "is no X": r"(?<![Tt]here )\b(?:is|are) no (?!longer\b|more\b|less\b|further\b|later\b|(?:better|worse|larger|smaller)\b)",
    "What-clause": START + r"What(?!ever)\b(?! if\b)[^.?!|\n]*(?=[.!|\n]|$)",
    "Whom, Whose, Whoever": START + r"(?:Whom|Whose|Whoever|Who)\b[^.?!|\n]*(?=[.!|\n]|$)",
    "fragment with Of": START + r"Of\s(?!(?:all |the |these |its )?\d)",
    "told": r"\b[Tt]old\b",
    "asked for": r"\b[Aa]sk(?:s|ed|ing)? for\b",
    "ask the weights": r"\b[Aa]sk(?:s|ed|ing)? the weights\b",
    "said": r"\b(?:is|are|was|were|and|be|been|as) said\b|\bsaid beforehand\b|\bword said\b|, and said\b",
    "beforehand": r"\bbeforehand\b",
    "such as": r"\bsuch as\b",
    "a defect of": r"\ba defect of\b",
    "of ours": r"\bof ours\b",
    "goes before": r"\bgo(?:es)? before\b",
    "goes along": r"\bgo(?:es)? along with\b",
    "nobody": r"\b[Nn]obody\b",
    "stands in": r"\bstands? (?:in(?! for\b)|on|there|beside|under|behind|apart|by itself)\b",
    "comes of": r"\b(?:came|comes?|become|becomes) of\b",
    "the road of": r"\b[Rr]oad of\b",
    "sureness": r"\b[Ss]ureness\b|\b[Hh]ow sure\b|\bbe sure in\b|\bas sure as\b",
    "of them that": r"\bof (?:them|those|these) that\b",
    "brings nothing": r"\bbrings? nothing\b",
    "leaves the word": r"\b(?:has|leaves?) the word\b",
    "honest, defensible": r"\b(?:honest|one can defend)\b",
    "reach of": r"\bwithin reach\b",
    "makes anew": r"\banew\b",
    "to and fro": r"\bto and fro\b",
    "flatters": r"\bflatter(?:s|ed|ing)?\b",
    "a row a scan": r"\b[Aa] (?:row|line|file|folder|box|panel|table|segment|mask|point) an? [a-z]+\b",
    "none of it": r"\b[Nn]othing of (?:it|this|that|them)\b",
}
"""Name of a pattern to its regular expression; see the style guide's rules 3 to 8."""

BRITISH: dict[str, str] = {
    "British spelling": (
        r"\b(?:centres?|colou?red|colours?|neighbour\w*|behaviour\w*|tumours?|grey|metres?|millimetres?|millilitres?|micrometres?"
        r"|normalis\w+|initialis\w+|optimis(?:e|ed|er|ers|es|ing|ation)|quantis\w+|organis\w+|recognis\w+|summaris\w+|visualis\w+|favour\w*|labell\w+"
        r"|modell\w+|catalogue|analys(?:e|ed|ing))\b"
    )
}
MARKDOWN_HIDDEN = (
    re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.DOTALL | re.MULTILINE),
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"^ {4,}\S[^\n]*$", re.MULTILINE),
)
INLINE_HIDDEN = (
    re.compile(r"``[^`]+``|`[^`\n]+(?:\n[^`\n]+)?`"),
    re.compile(r"(?<=\])\([^)\s]+\)"),
    re.compile(r"https?://\S+"),
    re.compile(r'"[^"\n]{1,60}"'),
    re.compile(r"“[^”\n]{1,80}”"),
)
NEW_BLOCK = re.compile(r"\s*(?:[-*>#|]|\d+\.\s|$|\w+:$)")


def violations(text: str, *, spelling: bool = False, markdown: bool = True) -> list[str]:
    """Return one ``LINE: pattern: excerpt`` for each banned wording in ``text``, in the order of the text.

    Args:
        text: Markdown, or the text of a docstring, comment or message.
        spelling: Also report British spelling.
        markdown: If True, code blocks (fenced or indented) are not checked.
    """
    plain = text
    for pattern in (*(MARKDOWN_HIDDEN if markdown else ()), *INLINE_HIDDEN):
        plain = pattern.sub(lambda match: re.sub(r"[^\n]", "x", match[0]), plain)
    plain = _join_lines(plain)
    found = []
    for name, pattern in {**BANNED, **(BRITISH if spelling else {})}.items():
        for match in re.finditer(pattern, plain, re.MULTILINE):
            at = match.start() + len(match[0]) - len(match[0].lstrip(" \n>#*-|"))
            excerpt = " ".join(text[max(0, at - 20) : at + 60].split())
            found.append((at, f"{text.count(chr(10), 0, at) + 1}: {name}: {excerpt}"))
    return [line for _, line in sorted(set(found))]


def _join_lines(text: str) -> str:
    """Replace line breaks inside a paragraph by spaces; the length stays the same."""
    lines = text.split("\n")
    joined = lines[0]
    for line in lines[1:]:
        joined += ("\n" if NEW_BLOCK.match(line) or not joined.rpartition("\n")[2].strip() else " ") + line
    return joined


def python_texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield line number and text of every comment block, docstring and message of a module."""
    previous, start, block = -1, 0, ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if token.start[0] != previous + 1:
                yield start, block
                start, block = token.start[0], ""
            block += token.string.lstrip("#!:").strip() + "\n"
            previous = token.start[0]
    yield start, block
    inside = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            inside.update(id(part) for part in node.values)
            text = "".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            text = node.value
        else:
            continue
        if " " in text.strip():
            yield node.lineno, text


def findings(path: Path, *, spelling: bool = False) -> list[str]:
    """Return ``FILE:LINE: pattern: excerpt`` for each finding in one file."""
    if path.resolve() == Path(__file__).resolve():
        return []  # the patterns themselves
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return [f"{path}:{line}" for line in violations(source, spelling=spelling)]
    lines, found = source.splitlines(), set()
    for start, text in python_texts(source):
        for line in violations(text, spelling=spelling, markdown=False):
            offset, _, rest = line.partition(":")
            number = max(1, min(start + int(offset) - 1, len(lines)))
            if not lines[number - 1].endswith("# style: ok"):
                found.add((number, rest))
    return [f"{path}:{number}:{rest}" for number, rest in sorted(found)]


def main(arguments: list[str]) -> int:
    """Check the files and folders named on the command line."""
    spelling = "--spelling" in arguments
    files: list[Path] = []
    for argument in arguments:
        path = Path(argument)
        if argument != "--spelling":
            files += sorted([*path.rglob("*.py"), *path.rglob("*.md")]) if path.is_dir() else [path]
    found = [line for path in files for line in findings(path, spelling=spelling)]
    print("\n".join(found) if found else f"{len(files)} files, no findings")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
