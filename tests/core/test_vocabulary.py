"""What names and codes mean: whole names, never a word inside one; codes first."""

import pytest

from rmaunet.core.structure_names import Role, name_role
from rmaunet.core.vocabulary import Code, Named, assign, role_of

LIVER_NAMES = """Liver|LIVER|liver_|whole liver|Liver (whole)|entire_liver|Leber|foie|Hígado|HIGADO|fegato|肝臓|печень
|liver mask|Liver_Segmentation|Liver including tumor|Liver+Tumor|liver & tumors|Liver and lesions|liver incl. tumours
|Lever|hepar|wątroba"""
TUMOR_NAMES = """liver_tumor|Liver Tumour|LiverTumor|livertumor01|livertumors|hepatic tumor|Hepatic lesions|liver lesion 3|HCC
|hcc_2|Liver metastases|hepatocellular carcinoma|Hepatocellular Carcinoma (HCC)|CRLM|Lebertumor|Leberläsion
|Lebermetastasen|tumeur hépatique|métastases hépatiques|lesión hepática|tumore epatico|tumor of the liver
|liver-tumor|Liver tumor 12"""
PLACELESS = (
    "tumor|Tumours|TUMOR_1|lesion|Lesion #4|metastasis|metastases|Mass|masses|neoplasm|cancer|whole tumor|Läsion|mets"
)
ELSEWHERE = """kidney_tumor|kidney tumour|lung cancer|colon_lesion|pancreatic lesion|renal mass|muscle mass|spleen
|left kidney|kidney_right|pancreas|Bone metastasis|lymph node metastases"""
OTHER = "Liver cyst|liver_vessels|Hepatic vessel|portal vein|Liver abscess|Hepatic flexure|aorta|liver_segment_4"
NOTHING = """Liver without tumor|liver_minus_tumor|non-tumor liver|Liver (excluding lesions)|tumor-free liver|no tumor
|non-tumor|liver parenchyma (no tumor)|peritumoral|peritumoral ring 5 mm|tumor margin|tumor bed|tumor thrombus
|ablation zone of tumor|vessel lesion|Liver/Tumor|Liver - Tumor|Liver − Tumor|liver?|not liver|liver 4
|liverpool|tumorous|Segment_1|1||Liver, tumor|!tumor|liver or tumor|ex-liver|future liver remnant
|left liver lobe volume|tumor 50%|delivery|relesion"""
PARENCHYMA = "normal_liver|healthy liver|Liver parenchyma|liver tissue|parenchyma|Leberparenchym|gesunde Leber"


def names(text: str) -> list[str]:
    return [name.strip(" \n") for name in text.split("|")]


@pytest.mark.parametrize(
    ("listed", "role"),
    [
        (LIVER_NAMES, Role.LIVER),
        (PARENCHYMA, Role.PARENCHYMA),
        (TUMOR_NAMES, Role.TUMOR),
        (PLACELESS, Role.TUMOR_SOMEWHERE),
        (ELSEWHERE, Role.ORGAN),
        (OTHER, Role.OTHER),
        (NOTHING, Role.UNKNOWN),
        ("background|Background|clear label", Role.BACKGROUND),
    ],
    ids=lambda value: value.name if isinstance(value, Role) else "",
)
def test_names(listed: str, role: Role) -> None:
    found = {name: name_role(name) for name in names(listed)}
    assert {name: other.name for name, other in found.items() if other is not role} == {}


TISSUE = Code("SCT", "85756007", "Tissue")
LIVER = Code("SCT", "10200004", "Liver")
MASS = Code("SCT", "4147007", "Mass")
KIDNEY = Code("SCT", "64033007", "Kidney")


@pytest.mark.parametrize(
    ("name", "kind", "region", "role"),
    [
        ("Segment 1", LIVER, None, Role.LIVER),
        ("Liver without tumor", LIVER, None, Role.LIVER),
        ("peritumoral", LIVER, None, Role.LIVER),
        ("liver", MASS, None, Role.TUMOR_SOMEWHERE),
        ("x", Code("SRT", "T-62000", "Liver"), None, Role.LIVER),
        ("x", Code("SNM3", "T-62000", ""), None, Role.LIVER),
        ("x", Code("99SDM", "T-62000", ""), None, Role.LIVER),
        ("x", Code("SRT", "M-80006", ""), LIVER, Role.TUMOR),
        ("x", MASS, LIVER, Role.TUMOR),
        ("x", MASS, Code("SRT", "T-62000", "Liver"), Role.TUMOR),
        ("x", MASS, Code("SCT", "818983003", "Abdomen"), Role.TUMOR_SOMEWHERE),
        ("liver tumor", MASS, KIDNEY, Role.ORGAN),
        ("Kidney tumor", Code("SCT", "108369006", "Neoplasm"), None, Role.ORGAN),
        ("Liver tumor", Code("SCT", "108369006", "Neoplasm"), None, Role.TUMOR),
        ("x", Code("SCT", "25370001", "Hepatocellular carcinoma"), None, Role.TUMOR),
        ("Leber", TISSUE, None, Role.LIVER),
        ("Liver cyst", TISSUE, None, Role.OTHER),
        ("Liver without tumor", TISSUE, None, Role.UNKNOWN),
        ("liver", Code("SCT", "78961009", "Spleen"), None, Role.ORGAN),
        ("liver", Code("SCT", "59820001", "Blood vessel"), None, Role.OTHER),
        ("liver", Code("99LOCAL", "7", "Thing"), None, Role.LIVER),
        ("tumor", None, KIDNEY, Role.ORGAN),
        ("tumor", TISSUE, LIVER, Role.TUMOR),
    ],
)
def test_codes_come_first(name: str, kind: Code | None, region: Code | None, role: Role) -> None:
    assert role_of(Named("1", name, kind, region)) is role


@pytest.mark.parametrize(
    ("segments", "labels", "said"),
    [
        (["liver", "tumor"], [1, 2], ()),
        (
            ["liver", "tumor", "liver vessels"],
            [1, 2, None],
            ("left out as neither liver nor tumor: 3 'liver vessels'",),
        ),
        (
            ["liver", "tumor", "spleen"],
            [1, 2, None],
            ("left out", "2 'tumor' names no organ and other organs are there"),
        ),
        (["liver", "kidney_tumor"], [1, None], ("left out as neither liver nor tumor: 2 'kidney_tumor'",)),
        (["liver", "peritumoral"], [1, None], ("2 'peritumoral'; --label can use them",)),
        (["tumor", "spleen"], [2, None], ("left out", "no liver segment", "names no organ")),
        (["healthy liver"], [1], ("drawn without its tumors",)),
        (["healthy liver", "HCC"], [1, 2], ()),
        (["background", "Leber", "metastases"], [None, 1, 2], ()),
    ],
)
def test_segments_together(segments: list[str], labels: list[int | None], said: tuple[str, ...]) -> None:
    found = assign([Named(str(n), name) for n, name in enumerate(segments, start=1)])
    assert found.labels == labels
    assert found.problem is None
    assert len(found.notes) == len(said)
    assert all(part in note for part, note in zip(said, found.notes, strict=True))


@pytest.mark.parametrize(
    ("segments", "problem"),
    [
        (["Liver without tumor", "tumor"], "no segment is known to be the liver, and 1 'Liver without tumor' may be"),
        (["Segment_1", "liver tumor"], "1 'Segment_1' may be"),
        (["spleen", "muscle mass"], "neither liver nor tumor among the segments 1 'spleen', 2 'muscle mass'"),
        ([], r"neither liver nor tumor among the segments (none)"),
    ],
)
def test_what_is_not_known_is_asked(segments: list[str], problem: str) -> None:
    found = assign([Named(str(n), name) for n, name in enumerate(segments, start=1)])
    assert found.problem is not None
    assert problem in found.problem


def test_a_code_that_contradicts_the_name_is_said() -> None:
    found = assign([Named("1", "Liver", LIVER), Named("2", "liver", MASS)])
    assert found.labels == [1, 2]
    assert found.notes == ["segment 2 'liver' is coded 'Mass': the code decides, it is used as tumor"]
