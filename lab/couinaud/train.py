"""Train and score a small 3-D U-Net that divides a given liver into Couinaud segments I to VIII.

    python lab/couinaud/train.py DATA -o runs/couinaud --fold 0 --steps 2000
    python lab/couinaud/train.py DATA -o runs/couinaud --fold all --steps 2000

DATA holds ``lits/``, ``ircadb_hu/``, ``couinaud/`` and ``spacing.csv``. A run resumes from its last checkpoint. The held-out
patients of a fold are scored on the grid of their references: Dice of each segment, with the reference liver given.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

SPACING_MM = 5.0
SHAPE = (48, 48, 56)
EVERY_SLICE = (1, 2, 6)  # these volumes hold every slice of the liver; the others every second one
NEW = {31: 1, 45: 2}  # patients of ircadb_hu that no fold of lits lists, and the fold that tests them
FOLDS = Path("lab/results/weights/folds")


class Block(nn.Sequential):
    """Two 3 x 3 x 3 convolutions, each with instance norm and leaky ReLU."""

    def __init__(self, inside: int, outside: int, dropout: float = 0.0) -> None:
        layers: list[nn.Module] = [nn.Dropout3d(dropout)] if dropout else []
        for first in (inside, outside):
            layers += [
                nn.Conv3d(first, outside, 3, padding=1, bias=False),
                nn.InstanceNorm3d(outside, affine=True),
                nn.LeakyReLU(0.01, inplace=True),
            ]
        super().__init__(*layers)


class SegmentNet(nn.Module):
    """Logits (N, 8, D, H, W) of (N, 5, D, H, W): HU, liver, and the position in the liver's box along three axes."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 96)) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            Block(a, b, 0.2 if level > 1 else 0.0)
            for level, (a, b) in enumerate(zip((5, *widths[:-1]), widths, strict=True))
        )
        self.lift = nn.ModuleList(nn.ConvTranspose3d(b, a, 2, stride=2) for a, b in itertools.pairwise(widths))
        self.up = nn.ModuleList(Block(2 * a, a) for a in widths[:-1])
        self.head = nn.Conv3d(widths[0], 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the eight segments."""
        skips = []
        for index, block in enumerate(self.down):
            x = block(F.max_pool3d(x, 2) if index else x)
            skips.append(x)
        for index in reversed(range(len(self.up))):
            x = self.up[index](torch.cat([skips[index], self.lift[index](x)], 1))
        out: Tensor = self.head(x)
        return out


class Case:
    """One scan: HU, liver and segments on its own grid, and on the network's grid of 5 mm around the liver's center."""

    def __init__(self, data: Path, number: int, spacing: dict[int, tuple[float, float, float]]) -> None:
        folder = "ircadb_hu" if number in NEW else "lits"
        image = nib.load(data / folder / f"volume-{number}.nii.gz")
        self.hu = np.asarray(image.dataobj, np.float32).transpose(2, 1, 0)
        reference = nib.load(data / folder / f"segmentation-{number}.nii.gz")
        labels = np.rint(np.asarray(reference.dataobj)).astype(np.uint8).transpose(2, 1, 0)
        segments = nib.load(data / "couinaud" / f"couinaud-{number}.nii.gz")
        self.segments = np.rint(np.asarray(segments.dataobj)).astype(np.uint8).transpose(2, 1, 0)
        self.tumor = labels == 2
        self.liver = (labels > 0) & (self.segments > 0) if number not in (1, 39) else self.segments > 0
        if number in NEW:
            x, y, z = image.header.get_zooms()[:3]
            self.spacing = np.array([z, y, x], float)
        else:
            dz, dy, dx = spacing[number]
            self.spacing = np.array([dz * (1 if number in EVERY_SLICE else 2), 2 * dy, 2 * dx])
        found = [np.flatnonzero(self.liver.any(axis=tuple({0, 1, 2} - {k}))) for k in range(3)]
        self.center = np.array([(f[0] + f[-1]) / 2 for f in found])

    def grid(self, matrix: np.ndarray) -> Tensor:
        """Sampling positions (1, D, H, W, 3) for ``grid_sample``; ``matrix`` (3, 3) maps mm in the patch to mm in the scan."""
        axes = [(np.arange(n) - (n - 1) / 2) * SPACING_MM for n in SHAPE]
        mm = np.stack(np.meshgrid(*axes, indexing="ij"), -1) @ matrix.T
        index = mm / self.spacing + self.center
        size = np.array(self.hu.shape)
        unit = (2 * index + 1) / size - 1
        return torch.from_numpy(unit[None, ..., ::-1].astype(np.float32).copy())

    def sample(self, grid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """HU (D, H, W), liver (bool) and segments (0 to 8) at the positions of ``grid``."""
        hu = torch.from_numpy(np.clip(self.hu, -40, 160))[None, None]
        # Average first where the scan's pixels are finer than the network's: bilinear samples alone would alias.
        hu = F.avg_pool3d(hu, (1, 3, 3), 1, (0, 1, 1), count_include_pad=False)
        image = F.grid_sample(hu, grid, padding_mode="border", align_corners=False)[0, 0]
        masks = torch.from_numpy(np.stack([self.segments, self.liver]).astype(np.float32))[None]
        near = F.grid_sample(masks, grid, mode="nearest", align_corners=False)[0]
        return image, near[1] > 0.5, near[0].long()


def coordinates(liver: Tensor) -> Tensor:
    """Position (3, D, H, W) in the box of ``liver`` (D, H, W): -1 at its first, 1 at its last voxel, clipped to [-1.5, 1.5]."""
    out = []
    for axis, size in enumerate(liver.shape):
        others = [a for a in range(3) if a != axis]
        hit = torch.nonzero(liver.any(others[1]).any(others[0])).flatten()
        first, last = (int(hit[0]), int(hit[-1])) if len(hit) else (0, size - 1)
        line = ((torch.arange(size) - first) / max(1, last - first) * 2 - 1).clamp(-1.5, 1.5)
        out.append(line.reshape([-1 if a == axis else 1 for a in range(3)]).expand(liver.shape))
    return torch.stack(out)


def inputs(image: Tensor, liver: Tensor) -> Tensor:
    """Channels (5, D, H, W) of the network."""
    mean = image[liver].mean() if liver.any() else image.mean()
    relative = ((image - mean) / 40).clamp(-3, 3)
    return torch.cat([relative[None], liver[None].float(), coordinates(liver)])


def rotation(rng: np.random.Generator) -> np.ndarray:
    """A random rotation, scale and shear; about the long axis most."""
    a, b, c = np.deg2rad(rng.normal(0, (15, 8, 8)))
    rz = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, -np.sin(b)], [0, 1, 0], [np.sin(b), 0, np.cos(b)]])
    rx = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    scale = np.diag(np.exp(rng.normal(0, 0.1) + rng.normal(0, 0.06, 3)))
    shear = np.eye(3) + np.triu(rng.normal(0, 0.06, (3, 3)), 1)
    matrix: np.ndarray = rz @ ry @ rx @ scale @ shear
    return matrix


def bend(grid: Tensor, rng: np.random.Generator, strength: float) -> Tensor:
    """Move the positions by a smooth random field, up to about ``strength`` of half the scan."""
    coarse = torch.from_numpy(rng.normal(0, strength, (1, 3, 4, 4, 4)).astype(np.float32))
    field = F.interpolate(coarse, SHAPE, mode="trilinear", align_corners=True)
    return grid + field.permute(0, 2, 3, 4, 1)


def draw(case: Case, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs (5, D, H, W), liver and segments (D, H, W) of one augmented case."""
    grid = case.grid(rotation(rng))
    if rng.random() < 0.7:
        grid = bend(grid, rng, 0.04)
    image, liver, segments = case.sample(grid + torch.from_numpy(rng.normal(0, 0.02, 3).astype(np.float32)))
    rows = torch.nonzero(liver.any(2).any(1)).flatten()
    if rng.random() < 0.25 and len(rows) > 12:  # a scan that ends within the liver
        cut = int(rng.uniform(0.05, 0.4) * len(rows))
        gone = slice(None, int(rows[cut])) if rng.random() < 0.5 else slice(int(rows[-1 - cut]), None)
        liver[gone] = False
        image[gone] = 0
    if rng.random() < 0.5:  # the border of a mask that a network made
        grown = F.max_pool3d(liver[None, None].float(), 3, 1, 1)[0, 0] > 0
        shrunk = F.max_pool3d(1 - liver[None, None].float(), 3, 1, 1)[0, 0] == 0
        noise = torch.from_numpy(rng.normal(0, 1, (1, 1, 8, 8, 9)).astype(np.float32))
        noise = F.interpolate(noise, SHAPE, mode="trilinear")[0, 0]
        liver = torch.where(noise > 0.7, grown, torch.where(noise < -0.7, shrunk, liver))
    for _ in range(rng.integers(0, 4) if rng.random() < 0.4 else 0):  # lesions say nothing about segments
        inside = torch.nonzero(liver)
        if not len(inside):
            break
        at = inside[int(rng.integers(len(inside)))]
        distance = sum(
            ((torch.arange(n) - int(at[k])).float().pow(2)).reshape([-1 if a == k else 1 for a in range(3)])
            for k, n in enumerate(SHAPE)
        )
        blob = (distance < rng.uniform(1, 8) ** 2) & liver
        image = torch.where(blob, image + float(rng.normal(-30, 25)), image)
    if rng.random() < 0.15:  # an unenhanced liver: no vessels
        mean = image[liver].mean() if liver.any() else image.mean()
        image = torch.where(liver, mean + 0.2 * (image - mean), image)
    x = inputs(image, liver)
    moved = rng.normal(0, 0.06, (2, 3, 1, 1, 1)).astype(np.float32)
    x[2:] = x[2:] * torch.from_numpy(1 + moved[0]) + torch.from_numpy(moved[1])
    if rng.random() < 0.1:  # shape alone must do
        x[0] = 0
    x[0] = x[0] * float(rng.uniform(0.7, 1.4)) + float(rng.normal(0, 0.1))
    x[0] += torch.from_numpy(rng.normal(0, rng.uniform(0, 0.3), SHAPE).astype(np.float32))
    return x, liver & (segments > 0), segments


def loss_of(logits: Tensor, liver: Tensor, segments: Tensor) -> Tensor:
    """Cross-entropy and soft Dice over the voxels of the liver."""
    inside = liver[:, None]
    log_p = F.log_softmax(logits, 1)
    target = F.one_hot((segments - 1).clamp(min=0), 8).permute(0, 4, 1, 2, 3) * inside
    entropy = -(log_p * target).sum() / inside.sum().clamp(min=1)
    p = log_p.exp() * inside
    shared, total = (p * target).sum((2, 3, 4)), (p + target).sum((2, 3, 4))
    present = target.sum((2, 3, 4)) > 0
    dice = (2 * shared + 1) / (total + 1)
    return entropy + 1 - dice[present].mean()


def turned(degrees: tuple[float, float, float], scale: float = 1.0) -> np.ndarray:
    """Rotation about the three axes (D, H, W) and scale."""
    a, b, c = np.deg2rad(degrees)
    rz = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, -np.sin(b)], [0, 1, 0], [np.sin(b), 0, np.cos(b)]])
    rx = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    matrix: np.ndarray = (rz @ ry @ rx) * scale
    return matrix


POSES = [
    ((0, 0, 0), 1.0),
    ((12, 0, 0), 1.0),
    ((-12, 0, 0), 1.0),
    ((0, 8, 0), 1.0),
    ((0, -8, 0), 1.0),
    ((0, 0, 8), 1.08),
]


@torch.inference_mode()
def predict(network: nn.Module, case: Case, poses: int = 1) -> np.ndarray:
    """Segments (D, H, W) of the case's liver on its own grid: the mean of the probabilities over the first ``poses``."""
    size = np.array(case.hu.shape)
    at = np.argwhere(case.liver)
    mm = (at - case.center) * case.spacing
    total = torch.zeros(8, len(at))
    for degrees, scale in POSES[:poses]:
        matrix = turned(degrees, scale)
        image, liver, _ = case.sample(case.grid(matrix))
        p = network(inputs(image, liver)[None]).softmax(1)
        index = mm @ np.linalg.inv(matrix).T / SPACING_MM + (np.array(SHAPE) - 1) / 2
        unit = ((2 * index + 1) / np.array(SHAPE) - 1)[None, None, None, :, ::-1].astype(np.float32).copy()
        total += F.grid_sample(p, torch.from_numpy(unit), padding_mode="border", align_corners=False)[0, :, 0, 0]
    answer = np.zeros(size, np.uint8)
    answer[tuple(at.T)] = total.argmax(0).numpy() + 1
    return answer


def score(network: nn.Module, cases: dict[int, Case], poses: int = 1) -> list[dict[str, float]]:
    """Dice of each segment and case, NaN where the reference lacks the segment."""
    rows = []
    network.eval()
    for number, case in cases.items():
        mask = predict(network, case, poses)
        row: dict[str, float] = {"volume": number}
        for k in range(1, 9):
            a, b = mask == k, (case.segments == k) & case.liver
            row[f"segment_{k}"] = (
                2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)) if b.any() else np.nan
            )
        row["mean"] = float(np.nanmean([row[f"segment_{k}"] for k in range(1, 9)]))
        rows.append(row)
    return rows


def split(data: Path, fold: str) -> tuple[list[int], list[int]]:
    """Volume numbers for training and for testing."""
    known = sorted(int(p.name.split("-")[1].split(".")[0]) for p in (data / "couinaud").glob("couinaud-*.nii.gz"))
    if fold == "all":
        return known, []
    listed = json.loads((FOLDS / f"fold{fold}.json").read_text())["test"]
    test = {int(name.split("-")[1]) for name in listed} | {n for n, f in NEW.items() if f == int(fold)}
    return [n for n in known if n not in test], [n for n in known if n in test]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--fold", required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    out = options.output / f"fold{options.fold}"
    out.mkdir(parents=True, exist_ok=True)
    with (options.data / "spacing.csv").open() as file:
        spacing = {int(r["volume"]): (float(r["dz"]), float(r["dy"]), float(r["dx"])) for r in csv.DictReader(file)}
    train, test = (
        {n: Case(options.data, n, spacing) for n in numbers} for numbers in split(options.data, options.fold)
    )
    patients = [[n] for n in train if n not in (0, 1, 4, 5, 6, 7, 8, 10, 14, 15)]
    patients += [
        g for g in ([n for n in group if n in train] for group in ((0, 1), (4,), (5,), (6, 7, 8, 10), (14, 15))) if g
    ]
    native_bfloat16 = torch.cpu._is_avx512_bf16_supported()  # emulated elsewhere, and slower than float32
    torch.manual_seed(options.seed)
    network = SegmentNet()
    mean = torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995))
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=1e-2)
    step, kept = 0, out / "last.pt"
    if kept.exists():
        state = torch.load(kept, weights_only=True)
        network.load_state_dict(state["network"])
        mean.load_state_dict(state["mean"])
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
    began, first, losses = time.monotonic(), step, []
    while step < options.steps:
        rng = np.random.default_rng([7 + options.seed, step])
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 100) * min(1, (options.steps - step) / (0.5 * options.steps))
        drawn = [
            draw(train[int(rng.choice(patients[int(rng.integers(len(patients)))]))], rng) for _ in range(options.batch)
        ]
        x, liver, segments = (torch.stack(part) for part in zip(*drawn, strict=True))
        network.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=native_bfloat16):
            logits = network(x)
        loss = loss_of(logits.float(), liver, segments)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5)
        optimizer.step()
        mean.update_parameters(network)
        losses.append(float(loss.detach()))
        step += 1
        if step % 125 == 0 or step == options.steps:
            state = {
                "network": network.state_dict(),
                "mean": mean.state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": step,
            }
            torch.save(state, out / "part.pt")
            (out / "part.pt").replace(kept)
            dice = np.nanmean([row["mean"] for row in score(mean.module, test)]) if test else float("nan")
            seconds = (time.monotonic() - began) / (step - first)
            print(
                f"step {step} loss {np.mean(losses[-250:]):.3f} test Dice {dice:.4f} {seconds:.2f} s/step", flush=True
            )
    torch.save(mean.module.state_dict(), out / "weights.pt")
    if test:
        rows = score(mean.module, test, len(POSES))
        with (out / "scores.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        print({k: round(float(np.nanmean([r[k] for r in rows])), 3) for k in rows[0] if k != "volume"})


if __name__ == "__main__":
    main()
