"""Does training in bfloat16 change the validation Dice? Three seeds, each in float32 and in bfloat16, on phantoms.

    python lab/benchmarks/mixed_precision.py [--seeds 3] [--steps 300] [--after 0] [--size 64] [--base 8] \
        [--patients 8] [-o FILE]

With --after N all begin from one network, trained for N steps in float32, and go on at a quarter of its rate: so were the
released weights finished on a CPU (``whole-lesions`` and on). From nothing, seeds alone differ by more than can be asked about.

Both precisions of a seed see the same slices in the same order with the same augmentation. Every set of weights is judged in
float32 on the same phantoms, none of which it was trained on; the figure is the mean over their Dice. Processors without
bfloat16 instructions emulate them: the answer is the same, the time is not.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from bench.record import new_record
from bench.tables import tables
from bench.training import patient, phantom_store
from rmaunet.core.files import write_json
from rmaunet.datasets.phantoms.phantom import Phantom
from rmaunet.metrics import evaluate_case
from rmaunet.networks.build import NetworkSettings
from rmaunet.predict import Predictor, load_weights
from rmaunet.train import train
from rmaunet.train.experiment import Experiment, Stage
from rmaunet.train.presets import FIRST

ORGANS = ("liver", "tumor")


def mean_dice(weights: Path, held_out: list[Phantom]) -> dict[str, float]:
    loaded = load_weights(weights)
    predictor = Predictor(loaded, runtime="torch", device="cpu", precision="float32", all_slices=True)
    found = [
        evaluate_case(made.mask, predictor.predict(made.ct).mask, name=str(number), surface=False)
        for number, made in enumerate(held_out)
    ]
    return {organ: statistics.mean(getattr(case, f"{organ}_dice") for case in found) for organ in ORGANS}


def compare(experiment: Experiment, seeds: int, count: int, *, after: int, judged: int) -> list[dict[str, Any]]:
    held_out = [patient(seed, experiment.preprocessing.size) for seed in range(1000, 1000 + judged)]
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = experiment.preprocessing
        store = phantom_store(Path(folder) / "store", settings, count=count, side=settings.size)
        cases = [case.name for case in store.cases]
        start = None
        if after:
            first = replace(experiment, training=replace(experiment.training, precision="float32", steps=after))
            start = load_weights(train(first, store, cases, Path(folder) / "start"))
            rate = experiment.training.learning_rate / 4
            later = replace(experiment.training, learning_rate=rate, decay_share=0.9, ema_decay=0.99)
            experiment = replace(experiment, training=later)
        for seed in range(seeds):
            for precision in ("float32", "bfloat16"):
                mine = replace(experiment, seed=seed, training=replace(experiment.training, precision=precision))
                began = time.process_time()
                weights = train(mine, store, cases, Path(folder) / f"{seed}-{precision}", start=start)
                spent = time.process_time() - began
                rows.append(
                    {
                        "after": after,
                        "steps": mine.training.steps,
                        "seed": seed,
                        "precision": precision,
                        "cpu_seconds": spent,
                        **mean_dice(weights, held_out),
                    }
                )
                print(rows[-1], file=sys.stderr, flush=True)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("seeds", 3), ("steps", 300), ("size", 64), ("base", 8), ("batch", 8), ("patients", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--after", type=int, default=0, help="steps that all have in common")
    parser.add_argument("--judged", type=int, default=16, help="phantoms that none was trained on")
    parser.add_argument("-o", "--output", type=Path, help="JSON file")
    options = parser.parse_args()
    preprocessing = replace(FIRST.preprocessing, grid="matrix", size=options.size)
    training = replace(FIRST.training, steps=options.steps, stages=(Stage(1.0, options.size, options.batch),))
    network = NetworkSettings(base=options.base)
    experiment = replace(FIRST, network=network, preprocessing=preprocessing, training=training)
    rows = compare(experiment, options.seeds, options.patients, after=options.after, judged=options.judged)
    record = {**new_record(threads=torch.get_num_threads(), libraries=("torch",)), "mixed_precision": rows}
    print(tables(record))
    if options.output:
        write_json(options.output, record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
