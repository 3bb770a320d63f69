"""The nested grid of U-Net++: node X(i, j) sees every earlier node of its row and the node below.

Two networks share it: U-Net++ itself and ASU-Net++.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

__all__ = ["NestedGrid"]


class NestedGrid(nn.Module):
    """Everything right of the backbone column: ``X(i, j) = unit([X(i, 0..j-1), up(X(i+1, j-1))])``.

    Args:
        backbone: Channels of the backbone column X(0..4, 0), full resolution first.
        widths: Channels that up-sampling onto row i gives, for rows 0 to 3.
        node: Channels of the nodes X(i, j > 0), for rows 0 to 3.
        unit: Makes the unit of a node from its channels in and the row's width.

    Reference:
        Zhou et al. 2018, Fig. 1a.
    """

    def __init__(
        self,
        *,
        backbone: Sequence[int],
        widths: Sequence[int],
        node: Sequence[int],
        unit: Callable[[int, int], nn.Module],
    ) -> None:
        super().__init__()
        self.depth = len(backbone)
        self.up = nn.ModuleDict()
        self.unit = nn.ModuleDict()
        for j in range(1, self.depth):
            for i in range(self.depth - j):
                below = backbone[i + 1] if j == 1 else node[i + 1]
                self.up[f"{i}{j}"] = nn.ConvTranspose2d(below, widths[i], 2, stride=2)
                self.unit[f"{i}{j}"] = unit(backbone[i] + (j - 1) * node[i] + widths[i], widths[i])

    def forward(self, backbone: Sequence[Tensor]) -> list[Tensor]:
        """The full-resolution nodes X(0, 1..4), from the backbone column X(0..4, 0)."""
        rows = [[x] for x in backbone]
        for j in range(1, self.depth):
            for i in range(self.depth - j):
                raised = self.up[f"{i}{j}"](rows[i + 1][j - 1])
                rows[i].append(self.unit[f"{i}{j}"](torch.cat([*rows[i], raised], dim=1)))
        return rows[0][1:]
