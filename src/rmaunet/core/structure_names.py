"""Names of segments, labels and files: which whole names mean liver, tumor, another organ or nothing.

The vocabulary is a table of whole names after normalization (case, accents, punctuation, plural, British spelling).
It is built from the word lists below; a word inside a longer name decides nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from enum import Enum
from functools import cache
from itertools import product

__all__ = ["ELSEWHERE", "LESION", "ORGAN", "Role", "name_role", "normalized"]


class Role(Enum):
    """What a name or a code stands for."""

    LIVER = "liver"
    PARENCHYMA = "liver tissue outside the tumors"
    TUMOR = "liver tumor"
    TUMOR_SOMEWHERE = "tumor of an organ that is not named"
    ORGAN = "another organ, or a tumor of one"
    OTHER = "neither liver nor tumor"
    BACKGROUND = "background"
    UNKNOWN = "not in the vocabulary"


# The words as people write them; _table() normalizes and combines them to whole names.
ORGAN = (
    "liver", "hepar", "leber", "foie", "hígado", "fígado", "fegato", "lever", "játra", "jetra", "maksa", "wątroba",
    "karaciğer", "ficat", "печень", "печінка", "肝", "肝脏", "肝臓", "肝臟", "간",
)  # fmt: skip
_OF_LIVER = (
    "hepatic", "intrahepatic", "hepatique", "hepatiques", "hepatico", "hepatica", "hepaticos", "hepaticas",
    "epatico", "epatica", "epatici", "epatiche",
)  # fmt: skip
_WHOLE = (
    "whole", "entire", "full", "total", "complete", "ganze", "gesamte", "entier", "entero", "intero", "completo", "all",
)  # fmt: skip
LESION = (
    "tumor", "lesion", "neoplasm", "cancer", "carcinoma", "metastasis", "mass", "malignancy", "tumeur", "tumore",
    "krebs", "karzinom", "läsion", "laesion", "metastase", "metastasi", "lesione", "raumforderung", "mets", "met",
)  # fmt: skip
_PLURAL = {
    "tumors": "tumor", "tumours": "tumor", "tumour": "tumor", "tumoren": "tumor", "tumores": "tumor",
    "tumori": "tumore", "tumeurs": "tumeur", "lesions": "lesion", "lesiones": "lesion", "lesioni": "lesione",
    "lasionen": "lasion", "laesionen": "laesion", "neoplasms": "neoplasm", "cancers": "cancer",
    "carcinomas": "carcinoma", "carcinomata": "carcinoma", "metastases": "metastasis", "metastasen": "metastase",
    "masses": "mass", "malignancies": "malignancy", "livers": "liver", "kidneys": "kidney", "lungs": "lung",
    "cysts": "cyst", "vessels": "vessel", "veins": "vein", "arteries": "artery", "ducts": "duct", "nodes": "node",
    "bones": "bone", "ribs": "rib", "vertebrae": "vertebra", "muscles": "muscle", "glands": "gland",
    "hccs": "hcc", "segments": "segment", "lobes": "lobe",
}  # fmt: skip
_FILE_WORDS = {"mask", "seg", "segmentation", "label", "labelmap", "roi", "contour"}
ELSEWHERE = (
    "spleen", "kidney", "pancreas", "gallbladder", "stomach", "duodenum", "colon", "bowel", "intestine", "esophagus",
    "oesophagus", "heart", "lung", "brain", "bladder", "prostate", "breast", "uterus", "ovary", "bone", "spine", "rib",
    "vertebra", "adrenal", "rectum", "trachea", "thyroid", "skin", "muscle", "thymus", "adrenal gland",
    "urinary bladder", "gall bladder", "small bowel", "large bowel", "lymph node", "milz", "niere", "lunge", "rein",
    "rate", "baco", "rinon", "milza", "rene",
)  # fmt: skip
_OF_ELSEWHERE = (
    "renal", "splenic", "pancreatic", "pulmonary", "colorectal", "gastric", "cerebral", "mammary", "ovarian", "nodal",
)  # fmt: skip
_NEITHER = (
    "vessel", "cyst", "abscess", "body", "fat", "aorta", "ivc", "vena cava", "inferior vena cava", "bile duct",
    "portal vein", "portal vein and splenic vein", "celiac trunk", "ignore", "subcutaneous fat", "visceral fat", "air",
    "couch", "table", "calcification", "other", "artery", "vein", "liver segment", "liver lobe", "couinaud segment",
    "hepatic flexure", *(
        f"{place} {part}" for place in ("liver", "hepatic", "kidney", "renal")
        for part in ("vessel", "cyst", "abscess", "vein", "artery", "hemangioma")
    ),
)  # fmt: skip
_BACKGROUND = ("background", "bg", "hintergrund", "unlabeled", "unlabelled", "none", "void", "clear", "clear label")
_SIDES = {"left", "right", "l", "r", "upper", "lower", "middle"}


def normalized(name: str) -> tuple[str, ...]:
    """Words of a name without case, accents, plural and punctuation.

    Separators are spaces, ``_ - . : # ' "`` and brackets; "+" and "&" become "and". Any other sign stays a word of its
    own, and so does a dash between spaces, which may be a minus.

    Example:
        >>> normalized("Liver_Tumours"), normalized("LiverTumor"), normalized("Liver - tumor"), normalized("Hígado")
        (('liver', 'tumor'), ('liver', 'tumor'), ('liver', '-', 'tumor'), ('higado',))
    """
    text = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name))
    text = unicodedata.normalize("NFC", "".join(c for c in text if unicodedata.category(c) != "Mn")).casefold()
    text = re.sub(r"\s+[-‐-―−]+\s+|−", " \x00 ", text)  # a minus, or a dash that may be one
    text = re.sub(r"[+&]", " and ", text)
    text = re.sub(r"[\s_\-‐-―.:#'\"()\[\]{}]+", " ", text)
    text = re.sub(r"(?<=[^\W\d])(?=\d)", " ", text).replace("\x00", "-")
    words = re.findall(r"\w+|[^\w\s]", text)
    return tuple(_PLURAL.get(word, word) for word in words)


_LESION_FORMS = (*LESION, *(form for form, word in _PLURAL.items() if word in (*LESION, "lasion")))
_JOINTS = ("and", "with", "including", "incl", "plus", "mit", "und", "et", "avec")
_OF_THE_LIVER = (
    "of the liver", "of liver", "in the liver", "in liver", "du foie", "de higado", "del higado", "do figado",
    "del fegato", "al fegato", "der leber",
)  # fmt: skip


def _liver_names() -> Iterator[str]:
    yield from ("tumor and liver", "lesion and liver")
    for organ in ORGAN:
        yield from (organ, f"{organ} organ")
        yield from (f"{organ} {joint} {lesion}" for joint, lesion in product(_JOINTS, LESION))
    for whole, organ in product(_WHOLE, ORGAN):
        yield from (f"{whole} {organ}", f"{organ} {whole}")


def _parenchyma_names() -> Iterator[str]:
    yield from ("parenchyma", "leberparenchym", "parenchyme hépatique", "gesunde leber", "normale leber", "foie sain")
    for organ, part in product(("liver", "hepatic"), (" parenchyma", " tissue")):
        yield from (f"{organ}{part}", f"healthy {organ}{part}", f"normal {organ}{part}")
    yield from ("healthy liver", "normal liver", "hígado sano", "fegato sano")


def _liver_tumor_names() -> Iterator[str]:
    yield from ("hcc", "hepatocellular carcinoma", "hepatocellular carcinoma hcc", "hepatoma", "hepatoblastoma")
    yield from ("cholangiocarcinoma", "intrahepatic cholangiocarcinoma", "crlm", "focal liver lesion", "liver hcc")
    yield "colorectal liver metastasis"
    for organ, lesion in product(ORGAN, _LESION_FORMS):
        yield from (f"{organ} {lesion}", f"{organ}{lesion}", f"{lesion} {organ}")
    for place, lesion in product(_OF_LIVER, LESION):
        yield from (f"{place} {lesion}", f"{lesion} {place}")
    yield from (f"{lesion} {of}" for lesion, of in product(LESION, _OF_THE_LIVER))


def _tumor_names() -> Iterator[str]:
    yield from (*LESION, "focal lesion", "tumor tissue", "lesion tissue")
    for which in ("whole", "entire", "all", "total", "primary", "malignant", "target"):
        yield from (f"{which} tumor", f"{which} lesion")


def _elsewhere_names() -> Iterator[str]:
    yield from ELSEWHERE
    for place, lesion in product((*ELSEWHERE, *_OF_ELSEWHERE), LESION):
        yield from (f"{place} {lesion}", f"{lesion} {place}", f"{place}{lesion}")


@cache
def _table() -> dict[tuple[str, ...], Role]:
    """Every name of the vocabulary, normalized. The first role that claims a name keeps it."""
    table: dict[tuple[str, ...], Role] = {}
    for role, names in (
        (Role.BACKGROUND, _BACKGROUND),
        (Role.LIVER, _liver_names()),
        (Role.PARENCHYMA, _parenchyma_names()),
        (Role.TUMOR, _liver_tumor_names()),
        (Role.TUMOR_SOMEWHERE, _tumor_names()),
        (Role.OTHER, _NEITHER),
        (Role.ORGAN, _elsewhere_names()),
    ):
        for name in names:
            table.setdefault(normalized(name), role)
    return table


def name_role(name: str) -> Role:
    """Look up a whole name.

    Args:
        name: As its author wrote it.

    Returns:
        The role; UNKNOWN if the whole name is not in the vocabulary.

    Example:
        >>> [name_role(n).name for n in ("Leber", "livertumor01", "Lesion 3", "kidney_tumor", "Liver without tumor")]
        ['LIVER', 'TUMOR', 'TUMOR_SOMEWHERE', 'ORGAN', 'UNKNOWN']
    """
    words = normalized(name)
    if len(words) > 1 and words[-1] in _FILE_WORDS:
        words = words[:-1]
    table = _table()
    role = table.get(words)
    if role is None and len(words) > 1 and words[-1].isdecimal():
        role = table.get(words[:-1])  # lesions are numbered; "liver 4" may be a liver segment
        role = None if role in (Role.LIVER, Role.PARENCHYMA, Role.BACKGROUND) else role
    if role is None:
        bare = tuple(word for word in words if word not in _SIDES and not word.isdecimal())
        role = Role.ORGAN if table.get(bare) is Role.ORGAN else Role.UNKNOWN
    return role
