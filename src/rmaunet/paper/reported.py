"""What the paper reports, as printed: never a result of this project, always to be shown "as reported".

Reference:
    Jiang et al. RMAU-Net. Computers in Biology and Medicine 158, 106838 (2023), Tables 1, 2 and 5 to 13.

Tables are numbered as the paper's text refers to them: 5 is the ablation of the modules, 6 that of the loss. Where the
numbers contradict each other, or cannot be what they are called, ``tests/paper/test_reported.py`` says so by arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["IRCADB_CASES", "LITS_TEST_CASES", "TABLES", "ReportedRow", "ReportedTable", "ReportedValue"]

LITS_TEST_CASES = 27
"""Volumes 0 to 26, section 4.2 and the caption of Table 7."""

IRCADB_CASES = 20
"""Section 4.1.2; five of them are free of tumor (not said in the paper)."""


@dataclass(frozen=True)
class ReportedValue:
    """A mean and what stands behind its plus-minus sign.

    Attributes:
        mean: As printed, four decimals.
        sd: As printed, three decimals; None where none is printed. Which SD, and over what, is not stated.
    """

    mean: float
    sd: float | None = None

    def __str__(self) -> str:
        """As the paper prints it."""
        return f"{self.mean:.4f}" if self.sd is None else f"{self.mean:.4f} ± {self.sd:.3f}"


@dataclass(frozen=True)
class ReportedRow:
    """One row of a table.

    Attributes:
        label: As printed, without the citation.
        network: Our name of it, a key of ``NETWORKS``.
        variant: What sets the row apart from others of the same network; "" if nothing.
        liver_dice: "DSC" of the liver.
        liver_voe: "VOE" of the liver.
        liver_rvd: "RVD" of the liver, signed: above 0 is too large.
        tumor_dice: "DSC" of the tumors.
        tumor_voe: "VOE" of the tumors.
        tumor_rvd: "RVD" of the tumors.
        liver_p: p-value of the t-test of liver DSC against RMAU-Net.
        tumor_p: p-value of the t-test of tumor DSC against RMAU-Net.
    """

    label: str
    network: str
    variant: str
    liver_dice: ReportedValue
    tumor_dice: ReportedValue
    liver_voe: ReportedValue | None = None
    liver_rvd: ReportedValue | None = None
    tumor_voe: ReportedValue | None = None
    tumor_rvd: ReportedValue | None = None
    liver_p: float | None = None
    tumor_p: float | None = None


@dataclass(frozen=True)
class ReportedTable:
    """One table, or one half of Table 11.

    Attributes:
        number: In the paper.
        title: What it compares, in our words.
        data: "lits" or "ircadb".
        rows: In the paper's order.
    """

    number: int
    title: str
    data: Literal["lits", "ircadb"]
    rows: tuple[ReportedRow, ...]


_COLUMNS = {
    "liver DSC": "liver_dice",
    "liver VOE": "liver_voe",
    "liver RVD": "liver_rvd",
    "liver p": "liver_p",
    "tumor DSC": "tumor_dice",
    "tumor VOE": "tumor_voe",
    "tumor RVD": "tumor_rvd",
    "tumor p": "tumor_p",
}


def _rows(text: str) -> tuple[ReportedRow, ...]:
    """Read one of the blocks below: a heading, then a row a line; a cell is a mean and perhaps an SD, or a p-value."""
    heading, *lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    columns = [_COLUMNS[name] for name in heading[3:]]
    rows = []
    for label, network, variant, *cells in lines:
        padded = [*cells, *[""] * (len(columns) - len(cells))]
        values = {column: _cell(column, cell) for column, cell in zip(columns, padded, strict=True)}
        rows.append(ReportedRow(label, network, variant, **values))  # type: ignore[arg-type]
    return tuple(rows)


def _cell(column: str, cell: str) -> ReportedValue | float | None:
    if not cell:
        return None
    return float(cell) if column.endswith("_p") else ReportedValue(*map(float, cell.split()))


_TABLE_1 = """
label               | network | variant               | liver DSC     | liver VOE     | liver RVD     | tumor DSC     | tumor VOE     | tumor RVD
U-Net (Without Pre) | unet    | without preprocessing |  0.8950 0.026 |  0.1569 0.039 |  0.1313 0.368 |  0.5553 0.068 |  0.5822 0.058 |  0.8517 0.417
U-Net (With Pre)    | unet    | with preprocessing    |  0.9168 0.010 |  0.1371 0.019 | -0.1028 0.021 |  0.6063 0.060 |  0.5348 0.055 | -0.1631 0.593
Ours (Without Pre)  | rmaunet | without preprocessing |  0.9497 0.012 |  0.0874 0.008 | -0.0083 0.012 |  0.7547 0.053 |  0.3940 0.055 | -0.0449 0.764
Ours (With Pre)     | rmaunet | with preprocessing    |  0.9521 0.010 |  0.0826 0.007 | -0.0057 0.073 |  0.7594 0.075 |  0.3837 0.072 | -0.0235 0.393
"""  # noqa: E501

_TABLE_2 = """
label               | network | variant              | liver DSC     | liver VOE     | liver RVD     | tumor DSC     | tumor VOE     | tumor RVD
U-Net (Without Aug) | unet    | without augmentation |  0.9168 0.010 |  0.1371 0.019 | -0.1028 0.021 |  0.6063 0.060 |  0.5348 0.055 | -0.1631 0.593
U-Net (With Aug)    | unet    | with augmentation    |  0.9221 0.027 |  0.1270 0.047 | -0.0725 0.047 |  0.6252 0.148 |  0.5209 0.159 |  0.0946 0.437
Ours (Without Aug)  | rmaunet | without augmentation |  0.9521 0.010 |  0.0826 0.007 | -0.0057 0.073 |  0.7594 0.075 |  0.3837 0.072 | -0.0235 0.393
Ours (With Aug)     | rmaunet | with augmentation    |  0.9552 0.012 |  0.0792 0.023 | -0.0042 0.026 |  0.7616 0.118 |  0.3709 0.135 |  0.0118 0.291
"""  # noqa: E501

_TABLE_5 = """
label              | network | variant           | liver DSC     | liver VOE     | liver RVD     | tumor DSC     | tumor VOE     | tumor RVD
U-Net(backbone)    | unet    | backbone          |  0.9221 0.027 |  0.1270 0.047 | -0.0725 0.047 |  0.6252 0.148 |  0.5209 0.159 |  0.0946 0.437
U-Net+Res-SE-Block | rmaunet | Res-SE-Block only |  0.9394 0.016 |  0.1116 0.029 | -0.0444 0.035 |  0.6906 0.155 |  0.4578 0.158 | -0.0277 0.240
U-Net+MAB          | rmaunet | MAB only          |  0.9472 0.032 |  0.0981 0.048 |  0.0164 0.048 |  0.7257 0.139 |  0.4140 0.154 | -0.1126 0.102
RMAU-Net           | rmaunet |                   |  0.9552 0.012 |  0.0792 0.023 | -0.0042 0.026 |  0.7616 0.118 |  0.3709 0.135 |  0.0118 0.291
"""  # noqa: E501

_TABLE_6 = """
label               | network | variant    | liver DSC     | liver VOE     | liver RVD     | tumor DSC     | tumor VOE     | tumor RVD
CE loss             | rmaunet | ce         |  0.9471 0.011 |  0.0872 0.023 |  0.0075 0.038 |  0.7415 0.149 |  0.4008 0.154 | -0.1081 0.216
CE loss + dice loss | rmaunet | ce_dice    |  0.9526 0.014 |  0.0864 0.025 | -0.0058 0.032 |  0.7494 0.178 |  0.3892 0.177 | -0.0996 0.239
Proposed loss       | rmaunet | focal_dice |  0.9552 0.012 |  0.0792 0.023 | -0.0042 0.026 |  0.7616 0.118 |  0.3709 0.135 |  0.0118 0.291
"""  # noqa: E501

_TABLE_7 = """
label    | network  | variant | liver DSC     | liver VOE     | liver RVD     | tumor DSC     | tumor VOE     | tumor RVD
U-Net    | unet     |         |  0.9221 0.027 |  0.1270 0.047 | -0.0725 0.047 |  0.6252 0.148 |  0.5209 0.159 |  0.0946 0.437
U-Net++  | unetpp   |         |  0.9399 0.026 |  0.1092 0.045 |  0.0220 0.058 |  0.6903 0.137 |  0.4629 0.150 |  0.2334 0.661
RA-UNet  | raunet   |         |  0.9450 0.018 |  0.0992 0.037 |  0.0152 0.037 |  0.7021 0.135 |  0.4427 0.145 |  0.1370 0.431
ASU-Net  | asunetpp |         |  0.9494 0.012 |  0.0915 0.021 |  0.0129 0.029 |  0.7198 0.133 |  0.4311 0.142 | -0.2661 0.179
SAA-Net  | saanet   |         |  0.9538 0.014 |  0.0861 0.025 |  0.0136 0.029 |  0.7312 0.133 |  0.4088 0.142 | -0.2218 0.179
HFRU-Net | hfrunet  |         |  0.9503 0.014 |  0.0911 0.025 | -0.0141 0.032 |  0.7494 0.107 |  0.3802 0.128 | -0.2181 0.152
RMAU-Net | rmaunet  |         |  0.9552 0.012 |  0.0792 0.023 | -0.0042 0.026 |  0.7616 0.118 |  0.3709 0.135 |  0.0118 0.291
"""

_TABLE_8 = """
label    | network  | variant | liver DSC     | liver VOE     | liver RVD     | tumor DSC     | tumor VOE     | tumor RVD
U-Net    | unet     |         |  0.9458 0.013 |  0.0743 0.023 | -0.0081 0.024 |  0.5063 0.153 |  0.6201 0.139 |  1.6562 1.246
U-Net++  | unetpp   |         |  0.9647 0.022 |  0.0627 0.039 |  0.0102 0.052 |  0.6145 0.140 |  0.5145 0.153 |  1.0971 0.864
RA-UNet  | raunet   |         |  0.9527 0.011 |  0.0823 0.030 |  0.0063 0.027 |  0.7027 0.131 |  0.4125 0.161 | -0.0461 0.135
ASU-Net  | asunetpp |         |  0.9535 0.022 |  0.0840 0.038 |  0.0035 0.036 |  0.7354 0.142 |  0.3914 0.169 | -0.0440 0.253
SAA-Net  | saanet   |         |  0.9552 0.016 |  0.0814 0.028 |  0.0293 0.035 |  0.6782 0.149 |  0.4595 0.164 |  0.1145 0.338
HFRU-Net | hfrunet  |         |  0.9594 0.013 |  0.0742 0.023 | -0.0029 0.031 |  0.7894 0.111 |  0.3257 0.142 |  0.0327 0.170
RMAU-Net | rmaunet  |         |  0.9697 0.008 |  0.0531 0.014 |  0.0011 0.019 |  0.8307 0.095 |  0.2751 0.125 |  0.1258 0.186
"""

_TABLE_9 = """
label    | network  | variant | liver DSC     | liver p   | tumor DSC     | tumor p
U-Net    | unet     |         |  0.9221 0.027 |  1.16e-20 |  0.6252 0.148 |  5.54e-16
U-Net++  | unetpp   |         |  0.9399 0.026 |  7.15e-12 |  0.6903 0.137 |  9.21e-12
RA-UNet  | raunet   |         |  0.9450 0.018 |  2.16e-8  |  0.7021 0.135 |  3.52e-10
ASU-Net  | asunetpp |         |  0.9494 0.012 |  1.23e-6  |  0.7198 0.133 |  7.81e-9
SAA-Net  | saanet   |         |  0.9538 0.014 |  1.78e-3  |  0.7312 0.133 |  6.93e-7
HFRU-Net | hfrunet  |         |  0.9503 0.014 |  2.52e-4  |  0.7494 0.107 |  3.25e-6
RMAU-Net | rmaunet  |         |  0.9552 0.012 |           |  0.7616 0.118 |
"""

_TABLE_10 = """
label    | network  | variant | liver DSC     | liver p   | tumor DSC     | tumor p
U-Net    | unet     |         |  0.9458 0.013 |  8.41e-16 |  0.5063 0.153 |  4.94e-26
U-Net++  | unetpp   |         |  0.9647 0.022 |  5.07e-3  |  0.6145 0.140 |  1.56e-20
RA-UNet  | raunet   |         |  0.9527 0.011 |  1.21e-8  |  0.7027 0.131 |  3.51e-12
ASU-Net  | asunetpp |         |  0.9535 0.022 |  2.13e-8  |  0.7354 0.142 |  9.21e-8
SAA-Net  | saanet   |         |  0.9552 0.016 |  9.04e-6  |  0.6782 0.149 |  3.03e-16
HFRU-Net | hfrunet  |         |  0.9594 0.013 |  2.31e-4  |  0.7894 0.111 |  7.69e-5
RMAU-Net | rmaunet  |         |  0.9697 0.008 |           |  0.8307 0.095 |
"""

_TABLE_11_LITS = """
label  | network | variant            | liver DSC     | liver VOE     | liver RVD     | tumor DSC     | tumor VOE     | tumor RVD
fold 1 | rmaunet | fold 1             |  0.9563       |  0.0788       | -0.0037       |  0.7623       |  0.3700       |  0.0109
fold 2 | rmaunet | fold 2             |  0.9556       |  0.0784       | -0.0030       |  0.7629       |  0.3691       |  0.0113
fold 3 | rmaunet | fold 3             |  0.9566       |  0.0788       | -0.0038       |  0.7621       |  0.3702       |  0.0103
fold 4 | rmaunet | fold 4             |  0.9564       |  0.0790       | -0.0037       |  0.7622       |  0.3709       |  0.0111
fold 5 | rmaunet | fold 5             |  0.9564       |  0.0789       | -0.0037       |  0.7620       |  0.3694       |  0.0104
mean   | rmaunet | mean of five folds |  0.9563 0.001 |  0.0788 0.001 | -0.0036 0.001 |  0.7623 0.001 |  0.3699 0.001 |  0.0108 0.001
"""  # noqa: E501

_TABLE_11_IRCADB = """
label  | network | variant            | liver DSC     | liver VOE     | liver RVD     | tumor DSC     | tumor VOE     | tumor RVD
fold 1 | rmaunet | fold 1             |  0.9703       |  0.0510       |  0.0014       |  0.8304       |  0.2743       |  0.1253
fold 2 | rmaunet | fold 2             |  0.9702       |  0.0523       |  0.0012       |  0.8305       |  0.2742       |  0.1255
fold 3 | rmaunet | fold 3             |  0.9703       |  0.0529       |  0.0014       |  0.8307       |  0.2744       |  0.1254
fold 4 | rmaunet | fold 4             |  0.9707       |  0.0520       |  0.0011       |  0.8304       |  0.2746       |  0.1258
fold 5 | rmaunet | fold 5             |  0.9701       |  0.0504       |  0.0012       |  0.8306       |  0.2747       |  0.1253
mean   | rmaunet | mean of five folds |  0.9703 0.001 |  0.0517 0.001 |  0.0013 0.001 |  0.8305 0.001 |  0.2744 0.001 |  0.1255 0.001
"""  # noqa: E501

_TABLE_12 = """
label    | network  | variant | liver DSC     | liver VOE     | liver RVD     | tumor DSC     | tumor VOE     | tumor RVD
U-Net    | unet     |         |  0.9308 0.005 |  0.1219 0.002 | -0.0417 0.015 |  0.6627 0.015 |  0.4734 0.009 |  0.1305 0.029
U-Net++  | unetpp   |         |  0.9419 0.001 |  0.1061 0.002 |  0.0194 0.001 |  0.6948 0.004 |  0.4525 0.003 |  0.1462 0.007
RA-UNet  | raunet   |         |  0.9477 0.001 |  0.0962 0.001 |  0.0141 0.001 |  0.7138 0.002 |  0.4374 0.003 |  0.2178 0.038
ASU-Net  | asunetpp |         |  0.9513 0.001 |  0.0881 0.001 |  0.0132 0.001 |  0.7265 0.004 |  0.4236 0.005 | -0.2404 0.013
SAA-Net  | saanet   |         |  0.9518 0.001 |  0.0879 0.001 |  0.0139 0.001 |  0.7411 0.007 |  0.3909 0.012 | -0.2202 0.001
HFRU-Net | hfrunet  |         |  0.9525 0.001 |  0.0876 0.003 | -0.0083 0.003 |  0.7556 0.004 |  0.3738 0.001 | -0.1374 0.049
RMAU-Net | rmaunet  |         |  0.9563 0.001 |  0.0788 0.001 | -0.0036 0.001 |  0.7623 0.001 |  0.3699 0.001 |  0.0108 0.001
"""

_TABLE_13 = """
label    | network  | variant | liver DSC     | liver VOE     | liver RVD     | tumor DSC     | tumor VOE     | tumor RVD
U-Net    | unet     |         |  0.9567 0.006 |  0.0704 0.002 | -0.0090 0.001 |  0.5625 0.033 |  0.5899 0.017 |  1.4120 0.138
U-Net++  | unetpp   |         |  0.9596 0.004 |  0.0742 0.006 |  0.0095 0.001 |  0.6665 0.028 |  0.4635 0.033 |  0.4605 0.191
RA-UNet  | raunet   |         |  0.9532 0.001 |  0.0828 0.001 |  0.0045 0.001 |  0.7228 0.010 |  0.4021 0.007 | -0.0446 0.001
ASU-Net  | asunetpp |         |  0.9542 0.001 |  0.0822 0.001 |  0.0174 0.010 |  0.7026 0.012 |  0.4359 0.011 | -0.0828 0.011
SAA-Net  | saanet   |         |  0.9575 0.001 |  0.0776 0.001 |  0.0138 0.004 |  0.7299 0.023 |  0.3831 0.039 |  0.0906 0.013
HFRU-Net | hfrunet  |         |  0.9653 0.003 |  0.0646 0.007 | -0.0016 0.001 |  0.8134 0.007 |  0.3040 0.009 |  0.0884 0.032
RMAU-Net | rmaunet  |         |  0.9703 0.001 |  0.0517 0.001 |  0.0013 0.001 |  0.8305 0.001 |  0.2744 0.001 |  0.1255 0.001
"""

TABLES: Mapping[str, ReportedTable] = MappingProxyType(
    {
        "table1": ReportedTable(1, "Preprocessing, without augmentation", "lits", _rows(_TABLE_1)),
        "table2": ReportedTable(2, "Augmentation, with preprocessing", "lits", _rows(_TABLE_2)),
        "table5": ReportedTable(5, "Ablation of the modules", "lits", _rows(_TABLE_5)),
        "table6": ReportedTable(6, "Ablation of the loss", "lits", _rows(_TABLE_6)),
        "table7": ReportedTable(7, "Networks on LiTS, 27 test volumes", "lits", _rows(_TABLE_7)),
        "table8": ReportedTable(8, "Networks on 3D-IRCADb", "ircadb", _rows(_TABLE_8)),
        "table9": ReportedTable(9, "t-tests against RMAU-Net on LiTS", "lits", _rows(_TABLE_9)),
        "table10": ReportedTable(10, "t-tests against RMAU-Net on 3D-IRCADb", "ircadb", _rows(_TABLE_10)),
        "table11-lits": ReportedTable(11, "Five folds of RMAU-Net on LiTS", "lits", _rows(_TABLE_11_LITS)),
        "table11-ircadb": ReportedTable(11, "Five folds of RMAU-Net on 3D-IRCADb", "ircadb", _rows(_TABLE_11_IRCADB)),
        "table12": ReportedTable(12, "Networks on LiTS, five folds", "lits", _rows(_TABLE_12)),
        "table13": ReportedTable(13, "Networks on 3D-IRCADb, five folds", "ircadb", _rows(_TABLE_13)),
    }
)
"""Every table of results, by the name the command line uses."""
