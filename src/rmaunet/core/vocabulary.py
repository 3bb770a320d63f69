"""Which names and codes mean liver and which mean liver tumor: one vocabulary for every format.

A code decides first. Without one, the whole name is looked up after normalization (case, accents, punctuation, plural,
British spelling, a lesion's number). A word inside a name never decides: "Liver without tumor", "peritumoral" and
"muscle mass" are not in the vocabulary, so they are neither liver nor tumor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rmaunet.core.advice import advise
from rmaunet.core.labels import LIVER, TUMOR
from rmaunet.core.structure_names import Role, name_role, normalized

__all__ = [
    "LIVER_CODES",
    "LIVER_TUMOR_CODES",
    "TUMOR_CODES",
    "Assignment",
    "Code",
    "Named",
    "Role",
    "assign",
    "name_role",
    "normalized",
    "role_of",
]


@dataclass(frozen=True)
class Code:
    """A coded concept."""

    scheme: str
    value: str
    meaning: str = ""


@dataclass(frozen=True)
class Named:
    """A segment, label or file as its author describes it.

    Attributes:
        key: How `--label` names it, e.g. "2" or "0:1".
        name: The author's name, "" if there is none.
        kind: Code of what it is (DICOM's segmented property type), None if there is none.
        region: Code of the organ it lies in, None if there is none.
    """

    key: str
    name: str
    kind: Code | None = None
    region: Code | None = None

    @property
    def shown(self) -> str:
        """Key and name for messages, on one line."""
        name = "".join(c if c.isprintable() else "?" for c in self.name.strip())
        return f"{self.key} {name[:40]!r}".strip()


Codes = dict[str, tuple[str, ...]]

LIVER_CODES: Codes = {
    "SCT": ("10200004",), "SRT": ("T-62000",), "FMA": ("7197",), "RADLEX": ("RID58",), "NCIT": ("C12392",),
    "UMLS": ("C0023884",),
}  # fmt: skip
"""The organ, by coding scheme."""

TUMOR_CODES: Codes = {
    "SCT": ("108369006", "52988006", "4147007", "372087000", "14799000", "86049000", "128462008", "363346000"),
    "SRT": ("M-80003", "M-80006", "M-8FFFF", "M-01100", "M-03000", "M-80000", "M-80001"),
    "NCIT": ("C3262",),
}
"""Neoplasm, lesion, mass, metastasis: what it is, but not of which organ."""

LIVER_TUMOR_CODES: Codes = {
    "SCT": ("126851005", "109841003", "25370001", "94381002", "93870000", "95214007", "300331000")
}
"""Tumors whose code names the liver."""

GENERIC_CODES: Codes = {
    "SCT": ("85756007", "123037004", "91723000", "113343008", "49755003", "38866009"),
    "SRT": ("T-D0050", "T-D000A", "T-D0060", "M-01000"),
}
"""Tissue, structure, organ: these say nothing, so the name decides."""

_SCHEMES = {"SNM3": "SRT", "99SDM": "SRT", "SNOMED": "SCT", "SNOMED-CT": "SCT", "NCI": "NCIT"}

_VAGUE = {("tissue",), ("organ",), ("structure",), ("anatomical", "structure"), ("object",), ("segment",), ("roi",),
          ("region", "of", "interest")}  # fmt: skip
_WIDE_REGIONS = {("abdomen",), ("upper", "abdomen"), ("abdomen", "and", "pelvis"), ("abdominal", "cavity"), ("trunk",),
                 ("body",), ("whole", "body")}  # fmt: skip


def _holds(table: Codes, code: Code) -> bool:
    scheme = _SCHEMES.get(code.scheme.strip().upper(), code.scheme.strip().upper())
    schemes = {"": tuple(table), "SCT": ("SCT", "SRT"), "SRT": ("SCT", "SRT")}.get(scheme, (scheme,))
    value = code.value.strip().upper().removeprefix("FMA")
    return any(value in table.get(one, ()) for one in schemes)  # SCT and SRT are often mixed up; no value is in both


def _code_role(code: Code | None) -> Role:
    """What a code stands for; UNKNOWN where it says nothing."""
    if code is None or not code.value.strip() or _holds(GENERIC_CODES, code):
        return Role.UNKNOWN
    for table, role in (
        (LIVER_CODES, Role.LIVER),
        (LIVER_TUMOR_CODES, Role.TUMOR),
        (TUMOR_CODES, Role.TUMOR_SOMEWHERE),
    ):
        if _holds(table, code):
            return role
    meant = name_role(code.meaning)
    if meant is not Role.UNKNOWN:
        return meant
    private = code.scheme.strip().upper().startswith("99") or not code.scheme.strip()
    return Role.UNKNOWN if private or normalized(code.meaning) in _VAGUE else Role.OTHER


def role_of(named: Named) -> Role:
    """What a segment is: by its code, else by its name; a tumor's organ by its region, else by its name.

    Example:
        >>> role_of(Named("1", "Segment 1", Code("SCT", "10200004", "Liver"))).name
        'LIVER'
        >>> role_of(Named("1", "tumor", None, Code("SCT", "64033007", "Kidney"))).name
        'ORGAN'
    """
    by_code, by_name = _code_role(named.kind), name_role(named.name)
    role = by_name if by_code is Role.UNKNOWN else by_code
    if role is not Role.TUMOR_SOMEWHERE:
        return role
    region = Role.UNKNOWN
    if named.region is not None and normalized(named.region.meaning) not in _WIDE_REGIONS:
        region = _code_role(named.region)
    if region in (Role.LIVER, Role.PARENCHYMA):
        return Role.TUMOR
    if region is not Role.UNKNOWN:
        return Role.ORGAN
    return by_name if by_name in (Role.TUMOR, Role.ORGAN, Role.OTHER) else role


_LABEL = {Role.LIVER: LIVER, Role.PARENCHYMA: LIVER, Role.TUMOR: TUMOR, Role.TUMOR_SOMEWHERE: TUMOR}


@dataclass
class Assignment:
    """What the segments of one mask mean.

    Attributes:
        labels: LIVER, TUMOR or None (left out) for each segment, in order.
        notes: What the user should know, one sentence each.
        problem: Why the mask cannot be used without `--label`, None if it can.
    """

    labels: list[int | None]
    notes: list[str] = field(default_factory=list)
    problem: str | None = None


def assign(segments: Sequence[Named], *, option: bool = True) -> Assignment:
    """Decide what each segment of a mask is.

    A tumor whose organ is not named is a liver tumor; beside other organs that is said. Where a tumor is found but no
    liver, and a name is not in the vocabulary, the user is asked: that segment may be the liver.

    Args:
        segments: All segments of one mask; background included or not.
        option: If True, notes name `--label`.

    Returns:
        A label for each, notes, and the problem if there is one.

    Example:
        >>> assign([Named("1", "liver"), Named("2", "HCC"), Named("3", "spleen")]).labels
        [1, 2, None]
        >>> assign([Named("1", "Liver without tumor"), Named("2", "tumor")]).problem
        "no segment is known to be the liver, and 1 'Liver without tumor' may be"
    """
    roles = [role_of(segment) for segment in segments]
    found = Assignment([_LABEL.get(role) for role in roles])
    left_out = [s.shown for s, role in zip(segments, roles, strict=True)
                if role not in _LABEL and role is not Role.BACKGROUND]  # fmt: skip
    unknown = [s.shown for s, role in zip(segments, roles, strict=True) if role is Role.UNKNOWN]
    if not any(found.labels):
        found.problem = f"neither liver nor tumor among the segments {_listed(left_out) or '(none)'}"
        return found
    if LIVER not in found.labels and unknown:
        found.problem = f"no segment is known to be the liver, and {_listed(unknown)} may be"
        return found
    found.notes += _contradictions(segments, roles)
    if left_out:
        advice = advise("--label", "; --label can use them", "") if unknown and option else ""
        found.notes.append(f"segments left out as neither liver nor tumor: {_listed(left_out)}{advice}")
    if LIVER not in found.labels:
        found.notes.append("there is a tumor segment but no liver segment")
    elif TUMOR not in found.labels and Role.LIVER not in roles:
        found.notes.append(
            "the liver is drawn without its tumors, and there is no tumor segment: volumes are too small"
        )
    placeless = [s.shown for s, role in zip(segments, roles, strict=True) if role is Role.TUMOR_SOMEWHERE]
    if placeless and Role.ORGAN in roles:
        advice = advise("--label", "; --label says otherwise", "") if option else ""
        text = "names no organ and other organs are there: taken as liver tumor"
        found.notes.append(f"{_listed(placeless)} {text}{advice}")
    return found


def _contradictions(segments: Sequence[Named], roles: Sequence[Role]) -> list[str]:
    notes = []
    for segment, role in zip(segments, roles, strict=True):
        by_code, by_name = _code_role(segment.kind), name_role(segment.name)
        if segment.kind is None or Role.UNKNOWN in (by_code, by_name):
            continue
        if _LABEL.get(role) != _LABEL.get(by_name):
            meaning = " ".join(segment.kind.meaning.split())[:40] or segment.kind.value
            what = {LIVER: "used as liver", TUMOR: "used as tumor"}.get(_LABEL.get(role, 0), "left out")
            notes.append(f"segment {segment.shown} is coded {meaning!r}: the code decides, it is {what}")
    return notes


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(names[:12]) + more
